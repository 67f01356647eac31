import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parsePolicy } from '../shared/caller/loadPolicy.ts';
import { explainPolicy, type Question } from './explainPolicy.ts';

const USAGE = `npm run policy -- check [--file policy.json]
npm run policy -- explain --caller NAME|appId|functionKey --mailbox ID|me | --group ID
                          --kind message|event|todoTask|outlookTask|post --size BYTES
                          [--user OID (a delegated token of that user)] [--me-mailbox ID] [--file policy.json]
check exits 1 on a fault; explain exits 0 when allowed, 1 when denied; 2 is a wrong call.`;

const { values, positionals } = readArguments();
const file = values.file ?? 'policy.json';

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        file: { type: 'string' },
        caller: { type: 'string' },
        user: { type: 'string' },
        mailbox: { type: 'string' },
        group: { type: 'string' },
        kind: { type: 'string' },
        size: { type: 'string' },
        'me-mailbox': { type: 'string' },
      },
    });
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function usage(fault: string): never {
  console.error(`${fault}\n${USAGE}`);
  process.exit(2);
}

function readDocument(): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}

const [command] = positionals;
if (command !== 'check' && command !== 'explain') usage(`Unknown command '${command ?? ''}'.`);
const parsed = parsePolicy(readDocument());
if (parsed.kind === 'broken') {
  for (const { pointer, fault } of parsed.faults) console.error(`${file}${pointer}: ${fault}`);
  process.exit(1);
}
if (command === 'check') {
  console.log(`${file}: ${parsed.document.callers.length} callers, no fault`);
} else {
  const { caller, mailbox, group, kind, size, user } = values;
  if (!caller || !kind || !size || (mailbox === undefined) === (group === undefined)) {
    usage('explain needs --caller, --kind, --size and one of --mailbox and --group.');
  }
  const question: Question = {
    caller,
    user,
    mailbox,
    group,
    kind,
    size: Number(size),
    meMailbox: values['me-mailbox'],
  };
  const explanation = explainPolicy(parsed.document, question);
  if (explanation.kind === 'badQuestion') usage(explanation.fault);
  console.log(explanation.text);
  process.exitCode = explanation.allowed ? 0 : 1;
}
