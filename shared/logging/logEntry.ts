import type { ActsAs } from '../access/policy.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import type { ItemTarget, Target, TargetOwner } from '../paths/target.ts';
import type { GraphOperation, UrlOperation } from '../routes.ts';

/** The operations of the app, as the log names them. */
export type OperationName = GraphOperation | UrlOperation | 'runJob';

/** The parts of a request's time that the log keeps apart; `in` overlaps the others. */
export type Stage = 'authenticate' | 'body' | 'store' | 'token' | 'queue' | 'graph' | 'wait' | 'in';

/** What the log will say of one request; the stages fill it in as they pass. It never holds a token, an uploadUrl, an item id or a file name. */
export class LogEntry {
  readonly operation: OperationName;
  caller: string | undefined;
  policyPath: string | undefined;
  /** Whose token Graph sees. */
  actsAs: ActsAs | undefined;
  kind: ItemKind | undefined;
  /** As the caller wrote it, or `me`; masked when the line is written. */
  mailbox: string | undefined;
  group: string | undefined;
  sizeBytes: number | undefined;
  /** Joins the lines of one upload; never its id. */
  upload: string | undefined;
  /** How many bytes Graph holds at the request's end. */
  offset: number | undefined;
  /** How many bytes this request brings of them. */
  rangeBytes: number | undefined;
  graphRequestId: string | undefined;
  /** One entry per attempt at Graph; 0 is an attempt without an answer. */
  readonly graphStatuses: number[] = [];
  readonly stagesMs: Partial<Record<Stage, number>> = {};
  readonly #startedAt = performance.now();
  #stageStartedAt = this.#startedAt;

  constructor(operation: OperationName) {
    this.operation = operation;
  }

  /** Books the time since the last stage ended. A stage that comes again adds up. */
  endStage(stage: Stage): void {
    const now = performance.now();
    this.addTime(stage, now - this.#stageStartedAt);
    this.#stageStartedAt = now;
  }

  /** Books a time that overlaps the stages. */
  addTime(stage: Stage, ms: number): void {
    this.stagesMs[stage] = (this.stagesMs[stage] ?? 0) + ms;
  }

  addAttempt(status: number, graphRequestId: string | undefined): void {
    this.graphStatuses.push(status);
    this.graphRequestId = graphRequestId ?? this.graphRequestId;
  }

  addTarget({ kind, owner }: Pick<Target, 'kind'> & { readonly owner: TargetOwner }): void {
    this.kind = kind;
    if (owner.kind === 'group') this.group = owner.id;
    else if ('id' in owner) this.mailbox = owner.id;
  }

  /** @param offset how many bytes Graph has */
  addTransfer(transfer: {
    readonly target: ItemTarget;
    readonly attachment: { readonly sizeBytes: number };
    readonly offset: number;
  }): void {
    this.addTarget(transfer.target);
    this.sizeBytes = transfer.attachment.sizeBytes;
    this.offset = transfer.offset;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }
}
