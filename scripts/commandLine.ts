import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/** The arguments of a command. `--help` prints the usage and ends with 0; a wrong call is named in one line and ends with 2. */
export function readCommandLine<const T extends Options>(usage: string, options: T) {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    // Node's first sentence; the second one is about arguments that start with a hyphen.
    return endWrongCall(String(Object(error).message).split('. ')[0] ?? '');
  }
}

/** For a command without positional arguments. */
export function readOptions<const T extends Options>(usage: string, options: T) {
  const { values, positionals } = readCommandLine(usage, options);
  return positionals.length === 0 ? values : endWrongCall(`Unexpected argument '${positionals[0]}'.`);
}

export function endWrongCall(message: string): never {
  console.error(`${message.replace(/\.?$/, '.')} Use --help for the usage.`);
  process.exit(2);
}
