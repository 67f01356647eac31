/**
 * Every number that bounds something, unit in its name, source beside it.
 * Numbers that an operator may change are defaults of settings: settings.ts refers to them from here.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** An attachmentItem is a few hundred bytes; the cap makes collecting every fault of a body safe. Our choice. */
export const MAX_REQUEST_BODY_BYTES = 64 * KIB;

/** Largest file an Outlook session takes: 150 MB, read as MiB so that Graph decides in the band. learn.microsoft.com/graph/outlook-large-attachments */
export const DEFAULT_MAX_OUTLOOK_ATTACHMENT_BYTES = 150 * MIB;

/** Largest file a To Do session takes: 25 MB, read as MiB. learn.microsoft.com/graph/todo-attachments */
export const DEFAULT_MAX_TODO_ATTACHMENT_BYTES = 25 * MIB;

/** Largest file in the JSON of one request, decoded: it is held in memory. Our choice. */
export const DEFAULT_MAX_JSON_ATTACHMENT_BYTES = 25 * MIB;
/** What fits in base64 into the 104,857,600 bytes that the platform takes as a request's body. learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger */
export const MAX_SETTABLE_JSON_ATTACHMENT_BYTES = 75 * MIB;

/** Largest message with its files: the most that Exchange Online lets a tenant set; 35 MB unless raised. learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits */
export const DEFAULT_MAX_MESSAGE_BYTES = 150 * MIB;

/** What the platform takes as a request's body unless FUNCTIONS_REQUEST_BODY_SIZE_LIMIT says otherwise (Azure Functions host: HttpRequestBodySizeMiddleware). */
export const DEFAULT_REQUEST_BODY_LIMIT_BYTES = 104_857_600;
/** The longest number that a setting can have. */
export const MAX_SETTABLE_REQUEST_BODY_LIMIT_BYTES = 10 ** 15 - 1;

/**
 * Files in JSON, decoded, that one instance holds at once: four of the largest that is taken by default, and a fifth of the smallest
 * instance (512 MB on Flex Consumption, learn.microsoft.com/azure/azure-functions/flex-consumption-plan), beside the host's own copies.
 * More than MAX_SETTABLE_JSON_ATTACHMENT_BYTES, so that a request that comes alone always fits.
 */
export const MAX_JSON_BYTES_HELD = 100 * MIB;

/** What a caller is asked to wait, in seconds, when that is full: a file of 25 MiB goes up in about that time. Our choice. */
export const JSON_MEMORY_RETRY_AFTER_SECONDS = 5;

/** The resulting attachment's own size is an Int32 in Graph's metadata; no setting can mean more. */
export const MAX_SETTABLE_ATTACHMENT_BYTES = 2 ** 31 - 1;

/** Whole time for one request. Well under Logic Apps' 120 s and the platform's 230 s. */
export const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
export const MIN_REQUEST_TIMEOUT_MS = 100;
/** The Functions front end gives up at 230 s whatever the app does. learn.microsoft.com/azure/azure-functions/functions-scale */
export const MAX_REQUEST_TIMEOUT_MS = 220_000;

/** For one range: Microsoft.Graph.Core gives up at 100 s. */
export const DEFAULT_UPLOAD_TIMEOUT_MS = 100_000;

/** The longest wait for one token: @azure/identity's own retries end within 5 s for 500 and 7 s for a dead endpoint. */
export const TOKEN_TIMEOUT_MS = 10_000;

/** A token is not used in its last two minutes (or last tenth, if that is less): it must outlive the request that carries it. */
export const TOKEN_USABLE_MARGIN_MS = 120_000;

/** Without a hint from the credential a token is renewed this long before its end (or from half its life, if that is less). */
export const TOKEN_REFRESH_MARGIN_MS = 300_000;

/** After a failed fetch the next one starts at once, after a second failure this much later, then doubled up to the longest pause. Our choice. */
export const MIN_TOKEN_RETRY_PAUSE_MS = 250;
export const MAX_TOKEN_RETRY_PAUSE_MS = 30_000;

/** Tokens of users that one instance holds, the least recently used given up first: at 2 to 3 kB each about 15 MB. Our choice. */
export const MAX_USER_TOKENS = 5_000;

/** A misspelt member name within this many edits of a known one gets a suggestion. Our choice. */
export const MAX_SUGGESTION_DISTANCE = 3;

/** A body of 64 KiB can hold thousands of unknown members; an answer lists this many faults. Our choice. */
export const MAX_DETAILS = 100;

/** One call and at most three retries. */
export const DEFAULT_GRAPH_ATTEMPTS = 4;
export const MAX_GRAPH_ATTEMPTS = 4;

/** Without a Retry-After the waits grow from this one, doubled each time, with full jitter. learn.microsoft.com/graph/throttling asks for exponential backoff. */
export const RETRY_BASE_DELAY_MS = 500;

/** A retry starts only if this much of the request's time is left after the wait: a shorter attempt could not answer. Our choice. */
export const RETRY_MIN_ATTEMPT_MS = 250;

/** Outlook's own limit: concurrent requests per app and mailbox. learn.microsoft.com/graph/throttling-limits */
export const MAX_IN_FLIGHT_PER_MAILBOX = 4;

/** Our choice: at 300 ms a call, 64 waiting requests are gone within 5 s. */
export const DEFAULT_MAILBOX_QUEUE_LENGTH = 64;
export const MAX_MAILBOX_QUEUE_LENGTH = 10_000;

/** What a caller is asked to wait, in seconds, when a mailbox's queue is full. Our choice. */
export const QUEUE_FULL_RETRY_AFTER_SECONDS = 5;

/** Files from this size on go through a session, smaller ones in one call: learn.microsoft.com/graph/outlook-large-attachments (3 MB). */
export const SESSION_FROM_BYTES = 3_000_000;

/** The smallest file that Outlook has been seen to open a session for (microsoftgraph/msgraph-sdk-java issue 52). */
export const MIN_SESSION_BYTES = 2 * MIB;

/** The largest file that Graph has been seen to take in one call (microsoftgraph/msgraph-sdk-java issue 52): tenants differ. */
export const MAX_SINGLE_POST_BYTES = 3_145_611;

/** Ending a session that nobody goes on with. It would expire by itself. Our choice. */
export const SESSION_END_TIMEOUT_MS = 5_000;

/** For attaching a file in one call: below the 230 s of the platform's front end. learn.microsoft.com/azure/azure-functions/functions-scale */
export const DEFAULT_ATTACH_TIMEOUT_MS = 220_000;

/** An idempotency key holds for a day. Our choice. */
export const IDEMPOTENCY_LIFE_MS = 86_400_000;

/** How many requests may wait for their turn at one upload, in each instance. Our choice: clients send one range at a time. */
export const MAX_WAITING_PER_UPLOAD = 16;

/** An attempt to send a chunk is given up when no answer comes for so long after its last byte. Outlook takes 1 to 2 s. Our choice. */
export const CHUNK_RESPONSE_TIMEOUT_MS = 30_000;

/** An attachment whose answer was lost is looked for once more after this time. Our choice. */
export const FIND_RETRY_MS = 1_000;

/** Stock upload clients give up at 100 s (Microsoft.Graph.Core): within this time of a request chunks are tried again. */
export const MAX_CHUNK_RETRY_MS = 90_000;

/** A file that goes up in one call has one sender in all instances, by a lease. The shortest that the store gives; renewed while its holder lives. Our choice. */
export const UPLOAD_LEASE_SECONDS = 15;
export const UPLOAD_LEASE_RENEW_MS = 5_000;
/** Another sender asks again after this time. Our choice. */
export const UPLOAD_LEASE_POLL_MS = 250;

/** A session that Graph does not know yet is opened anew so often at most: drafts just made are not on every replica. Our choice. */
export const MAX_SESSIONS_OPENED = 3;

/** A run of a job holds its record for so long and renews that in time; a job of an instance that died is free after it. Our choice. */
export const JOB_LEASE_SECONDS = 20;
export const JOB_LEASE_RENEW_MS = 6_000;

/** One invocation works on a job for so long at most: below the time of a function in host.json, five minutes. Our choice. */
export const JOB_RUN_MS = 210_000;

/** The longest wait inside a run; for a longer one the run ends and a message comes back later. Our choice. */
export const MAX_JOB_PAUSE_MS = 3_000;

/** Runs in a row in which Graph takes no byte, those aside that Graph or the source has asked to wait. Our choice. */
export const MAX_JOB_ATTEMPTS = 10;

/** Sessions that one job may open: each sends the file from its start. Our choice. */
export const MAX_JOB_SESSIONS = 10;

/** After a failed run the next one comes after this time, doubled each time up to the longest: ten runs outlast five minutes. Our choice. */
export const JOB_RETRY_BASE_MS = 2_000;
export const MAX_JOB_RETRY_MS = 60_000;

/** So many runs look for an attachment whose answer was lost before its file is sent anew, seconds apart. Our choice. */
export const MIN_LOOKS_BEFORE_RESTART = 3;

/** A poll that sees a job stand still for so long sends a new message; the next one after twice the time. Our choice: a queue is asked every two seconds. */
export const JOB_STALLED_MS = 15_000;

/** While the store of records is out of reach, a job's message comes back after this time. Our choice. */
export const JOB_STORAGE_RETRY_MS = 30_000;

/** What a poller is asked to wait, in seconds. The engine of Logic Apps waits 20 s where it is asked nothing. Our choice. */
export const JOB_POLL_SECONDS = 5;
export const MAX_JOB_POLL_SECONDS = 60;

/** The whole time of a job. Graph throttles a mailbox at 150 MB in five minutes (learn.microsoft.com/graph/throttling-limits). Our choice. */
export const DEFAULT_JOB_TIMEOUT_MINUTES = 60;
/** Half the life of its record, so that its end can be read. */
export const MAX_JOB_TIMEOUT_MINUTES = 720;

/** A key that seals messages is derived from this many characters at least. Our choice: 32 hex digits are 128 bits. */
export const MIN_JOB_KEY_LENGTH = 32;

/** A message that nobody takes is of no use after the record's life. */
export const JOB_MESSAGE_LIFE_SECONDS = 86_400;

/** Signing keys: renewed in the background after this time. Entra publishes a key well before it signs with it. */
export const JWKS_RENEW_AFTER_MS = 600_000;

/** Two fetches of the keys are at least this far apart; a token with an unknown key waits no longer than that. Our choice. */
export const JWKS_COOLDOWN_MS = 1_000;

/** One fetch of the keys. jose's own default. */
export const JWKS_TIMEOUT_MS = 5_000;

/** Clock skew allowed for a token's times; five minutes are usual in Entra's own libraries, one is enough between hosts with NTP. */
export const TOKEN_CLOCK_SKEW_SECONDS = 60;

/**
 * Longer Authorization headers are refused unread: Entra's tokens are 1 to 3 kB, with many groups up to 12. Below the
 * 16 KiB that Node's HTTP server allows for all headers together, past which the answer would be an empty 431.
 */
export const MAX_AUTHORIZATION_LENGTH = 14_336;

/** Chunks for Graph: a multiple of 320 KiB, below its 4 MB for one PUT. learn.microsoft.com/graph/outlook-large-attachments */
export const MAX_CHUNK_BYTES = 12 * 320 * KIB;

/** The largest slice that a caller may send at once: stock clients send up to 5 MiB and one byte. Our choice. */
export const MAX_SLICE_BYTES = 8 * MIB;

/** A record in the store of uploads is of use for a day; the account's own rule deletes it after two. Our choice. */
export const MAX_RECORD_LIFE_MS = 86_400_000;

/** A record is 3 to 5 kB (its uploadUrl holds a JWT); no larger blob is read. Our choice. */
export const MAX_RECORD_BYTES = 64 * KIB;

/** The longest wait for one operation of the store, retries included: they take milliseconds. Our choice. */
export const STORAGE_TIMEOUT_MS = 5_000;

/** Tries of one operation of the store: the second at once, the third after this pause. Our choice. */
export const STORAGE_ATTEMPTS = 3;
export const STORAGE_RETRY_DELAY_MS = 250;

/**
 * An upload's address is open to all, and each unknown id of the right form costs one read of the store. An instance makes this
 * many of these reads at once, over as many connections. At 10 ms a read that is 6,400 a second, more than one worker serves.
 */
export const MAX_RECORD_READS = 64;
/** More requests than this do not wait for such a read: they get 503. */
export const MAX_WAITING_RECORD_READS = 1024;

/** How long a browser may reuse the answer to a preflight. Chrome keeps it two hours at most. */
export const PREFLIGHT_MAX_AGE_SECONDS = 7_200;

/** Longest description of a failure's causes in a log line. Our choice. */
export const MAX_CAUSE_LENGTH = 600;

/** Longest address of a source. SharePoint's download addresses hold tokens of 2 to 4 kB. Our choice. */
export const MAX_SOURCE_URL_LENGTH = 8192;

/** The longest wait for the next byte of a file, from a caller or from a source. Our choice. */
export const IDLE_TIMEOUT_MS = 30_000;

/** The longest wait for a source to connect and to begin its answer. Our choice. */
export const SOURCE_RESPONSE_TIMEOUT_MS = 30_000;

/** How often in a row, with no byte between, a source may fail before it is given up. Our choice. */
export const MAX_SOURCE_FAILURES = 4;

/** Connections for one file: a source that breaks off, or sends a part at a time, more often than this is given up. Our choice. */
export const MAX_SOURCE_CONNECTIONS = 64;

/** A source that asks to wait longer than this (Retry-After) is given up. Our choice. */
export const MAX_SOURCE_PAUSE_MS = 20_000;

/** JSON and base64 are taken in steps of this size, so that other requests get their turn between them: one takes 0.02 ms, 1 ms where all is escaped. Our choice. */
export const MAX_DECODE_STEP_BYTES = 64 * KIB;

/**
 * How long an invocation and its HTTP request wait for one another in the worker. The host sends both at once; a busy worker
 * may see them seconds apart. Our choice, below the time of any request, so that callers hear of it in their own time.
 */
export const MATCH_TIMEOUT_MS = 10_000;

/** What a caller is asked to wait, in seconds, if the platform delivered its request late or twice. Our choice. */
export const UNMATCHED_RETRY_AFTER_SECONDS = 5;

/** The host sends a request's headers in one chunk over loopback: a connection that takes longer has broken. Our choice. */
export const HEADERS_TIMEOUT_MS = 20_000;

/**
 * How long the worker keeps the host's connections when nothing comes over them. Node's own 5 s would end one in the middle
 * of a body that comes slowly behind an early answer, and now and then just as the host sends the next request over it, which is
 * lost with its body. Twice what the host keeps them idle: learn.microsoft.com/dotnet/api/system.net.http.socketshttphandler.pooledconnectionidletimeout
 */
export const PROXY_KEEP_ALIVE_MS = 120_000;

/**
 * After an early answer the rest of a body is read away for this long: the host passes the answer on once the body has been
 * sent, and loses it where the worker breaks off (host-measured). Our choice: a minute carries 100 MB at 14 Mbit/s.
 */
export const DRAIN_TIMEOUT_MS = 60_000;

/** The most that is read away: the largest body that the platform takes at all. learn.microsoft.com/azure/azure-functions/functions-scale (210 MB) */
export const MAX_DISCARDED_BYTES = 210 * MIB;
