import { Command, CommanderError, Option as Flag } from 'commander';
import type { ConfigSources } from './config.ts';
import { FrametapError } from './errors.ts';
import { OPTION_KEYS, OPTIONS, variableOf, type Option, type OptionKey } from './options.ts';
import { VERSION } from './version.ts';

/** What each command does; given by cli.ts. */
export interface Commands {
  run(flags: Flags): Promise<void>;
  browser(flags: Flags, url: string | undefined, browserArguments: readonly string[]): Promise<void>;
  demo(flags: Flags, options: { readonly browser: boolean }): Promise<void>;
  ca(flags: Flags): Promise<void>;
  export(options: ExportFlags): Promise<void>;
}
export type Flags = ConfigSources['flags'];
export interface ExportFlags {
  readonly format: string;
  readonly session?: string;
  readonly filter?: string;
  readonly output?: string;
  readonly pid?: number;
  readonly secrets?: true;
}

/**
 * Reads the command line (without node and script) and runs its command.
 * @throws {FrametapError} `usage`, or what the command throws
 */
export async function runCommandLine(
  args: readonly string[],
  commands: Commands,
  output: { readonly stdout: NodeJS.WritableStream; readonly stderr: NodeJS.WritableStream },
): Promise<void> {
  const program = new Command('frametap')
    .description('Intercepting WebSocket proxy and inspector: every frame exactly as it was sent.')
    .version(VERSION)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.stdout.write(text),
      // Errors are thrown, and reported in one place.
      writeErr: () => undefined,
    })
    .showSuggestionAfterError(true)
    .action(() => commands.run(flagsOf(program)));
  for (const key of OPTION_KEYS) program.addOption(flagFor(key));
  program.addHelpText('after', `\nEvery option is also a variable, like ${variableOf('uiPort')} for --ui-port.`);

  program
    .command('browser')
    .description('start Frametap and a Chromium, Chrome or Edge that uses it')
    .argument('[url]', 'page to open')
    .argument('[browser arguments...]', 'after --: passed to the browser')
    .action((url: string | undefined, rest: readonly string[]) => {
      const given = url?.startsWith('-') === true ? [url, ...rest] : rest;
      return commands.browser(flagsOf(program), given === rest ? url : undefined, given);
    });
  program
    .command('demo')
    .description('start Frametap with a demo site and traffic to look at')
    .option('--browser', 'open the demo site in a browser too')
    .action((options: { browser?: true }) => commands.demo(flagsOf(program), { browser: options.browser === true }));
  program
    .command('ca')
    .description('print where the CA is, its fingerprint, and how to trust it')
    .action(() => commands.ca(flagsOf(program)));
  program
    .command('export')
    .description('write the capture of a running Frametap')
    .option('--format <name>', 'format of the export', 'json')
    .option('--session <id>', 'only this session')
    .option('--filter <expression>', 'only sessions, frames and messages that pass')
    .option('-o, --output <file>', 'file to write; standard output without it')
    .option('--pid <n>', 'process id of the instance; the newest without it', readPid)
    .option('--secrets', 'include the values of Cookie and Authorization')
    .configureHelp({ showGlobalOptions: false })
    .action((options: ExportFlags) => commands.export(options));

  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version that were asked for.
    if (error.exitCode === 0) return;
    const [first] = program.args;
    const isCommand = program.commands.some((command) => command.name() === first);
    const message =
      error.code === 'commander.excessArguments' && !isCommand ? `Unknown command '${first}'.` : error.message;
    throw new FrametapError('usage', sentence(message), { cause: error });
  }
}

function flagFor(key: OptionKey): Flag {
  const { name, argument, repeatable, shown, help } = OPTIONS[key] as Option<unknown>;
  const text = argument === undefined ? help : `${help} (default: ${shown})`;
  const flag = new Flag(argument === undefined ? `--${name}` : `--${name} ${argument}`, text);
  if (repeatable === true) {
    flag.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  }
  return flag;
}

function flagsOf(program: Command): Flags {
  const values: Record<string, unknown> = program.opts();
  return Object.fromEntries(
    OPTION_KEYS.map((key) => [key, values[camelCase(OPTIONS[key].name)]]).filter(([, value]) => value !== undefined),
  ) as Flags;
}

const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

function readPid(value: string): number {
  if (!/^\d+$/.test(value)) throw new FrametapError('usage', '--pid: expected a process id.');
  return Number(value);
}

function sentence(text: string): string {
  const plain = text
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .trim();
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}${/[.?)]$/.test(plain) ? '' : '.'}`;
}
