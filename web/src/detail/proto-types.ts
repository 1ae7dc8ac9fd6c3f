import type { LoadedProto } from '../../../src/contract/protos.ts';

/** A message type and the file that it is from. */
export interface ProtoType {
  readonly type: string;
  readonly file: string;
}

const BY_NAME = new Intl.Collator('en', { numeric: true });

/** All of them by name, or those whose name has every one of the words in it. */
export function protoTypes(files: readonly LoadedProto[], words = ''): ProtoType[] {
  const wanted = words.toLowerCase().split(/\s+/);
  return files
    .flatMap(({ name, messages }) => messages.map((type) => ({ type, file: name })))
    .filter(({ type }) => wanted.every((word) => type.toLowerCase().includes(word)))
    .sort((a, b) => BY_NAME.compare(a.type, b.type));
}
