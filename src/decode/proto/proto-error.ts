import type { ProtoText } from '../../contract/protos.ts';
import { FrametapError } from '../../errors.ts';
import { declarationsOf, type Declaration } from './declarations.ts';

/** A .proto file that cannot be loaded, and where it is wrong. */
export class ProtoError extends FrametapError {
  readonly file: string;
  /** Counted from 1; null where it is the file as a whole. */
  readonly line: number | null;

  constructor(file: string, line: number | null, problem: string) {
    super('invalid-proto', `${file}${line === null ? '' : `, line ${line}`}: ${problem}.`);
    this.file = file;
    this.line = line;
  }
}

/** The line on which something is declared that was read from this text. */
export function lineOf(file: ProtoText, isMeant: (declaration: Declaration) => boolean): number | null {
  return declarationsOf(file.text).findLast(isMeant)?.line ?? null;
}

/** protobufjs' own words as an error that says where it is and what was expected. */
export function problemIn(file: ProtoText, words: string): ProtoError {
  const [, sentence = words, line] = /^(.*?) \((?:.*, )?line (\d+)\)$/s.exec(words) ?? [];
  if (line !== undefined) return new ProtoError(file.name, Number(line), expectation(sentence, file.text));
  // What is wrong with a declaration as a whole comes without a line, and without what is around the message that is
  // being read: "duplicate id 3 in Type Message".
  const [, what = '', where = ''] = /(?:name|id) '?([^\s']+)'? .*\bin (?:\w+)?\s*\.?([\w.]*)$/.exec(sentence) ?? [];
  const place = lineOf(file, ({ scope, name, number }) => {
    const inside = where === '' || scope === where || scope.endsWith(`.${where}`);
    return inside && (name === what || String(number) === what);
  });
  return new ProtoError(file.name, place, expectation(sentence, file.text));
}

/** What was expected where protobufjs says "illegal …". */
const PLACES: Readonly<Record<string, string>> = {
  name: 'a name',
  'type name': 'the name of a message',
  'service name': 'the name of a service',
  type: 'a type that may stand here',
  id: 'a number',
  number: 'a number',
  integer: 'a whole number',
  value: 'a value',
  reference: 'the name of a message',
  syntax: 'proto2 or proto3',
  edition: 'an edition that is known (2023, 2024 or 2026)',
  package: 'one package and no second one',
};

function expectation(sentence: string, text: string): string {
  const missing = /^illegal token '(.*)', '(.*)' expected$/s.exec(sentence);
  if (missing !== null) return `expected "${missing[2] ?? ''}", but found ${shown(missing[1])}`;
  const illegal = /^illegal ([a-z ]+) '(.*)'$/s.exec(sentence);
  if (illegal !== null) {
    const [, place = '', token = ''] = illegal;
    if (place === 'end of input' || token === 'null') return 'expected more, but the file ends here';
    if (place === 'group') return 'expected no group: editions write features.message_encoding = DELIMITED';
    if (PLACES[place] !== undefined) return `expected ${PLACES[place]}, but found ${shown(token)}`;
    const old = /^\w/.test(token) && !/^[ \t]*(?:syntax|edition)\b/m.test(text);
    const hint = old ? ' (without syntax = "proto3", a field starts with optional, required or repeated)' : '';
    return `expected a declaration, but found ${shown(token)}${hint}`;
  }
  if (sentence === 'illegal string') return 'expected the end of a text that is never closed';
  if (sentence === 'illegal comment') return 'expected the end of a comment that is never closed';
  if (sentence === 'max depth exceeded') return 'expected 32 messages inside of each other at most';
  const twice = /^duplicate (name|id) '?([\w.]+)'? in /.exec(sentence);
  if (twice !== null) {
    return `expected a ${twice[1] === 'id' ? 'number' : 'name'} of its own, but ${twice[2] ?? ''} is taken already`;
  }
  const reserved = /^(?:id|name) '?(\w+)'? is reserved/.exec(sentence);
  if (reserved !== null) return `expected another one than ${reserved[1] ?? ''}, which is reserved`;
  return `expected something else: ${sentence}`;
}

const shown = (token = ''): string => (token === 'null' ? 'the end' : quoted(token));

/** What stands in a file may be as long as the file. */
export const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));
