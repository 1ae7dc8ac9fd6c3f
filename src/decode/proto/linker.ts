import type { IEnum, IExtensionField, IField, IMapField, INamespace, IType } from 'protobufjs';
import { PROTO_LIMITS } from '../../contract/protos.ts';
import { WELL_KNOWN, type Parsed, type ParsedProto } from './parser.ts';
import { lineOf, ProtoError, quoted } from './proto-error.ts';
import { SCALARS, type EnumType, type Field, type MessageType, type Scalar } from './schema.ts';
import { MAX_FIELD } from './wire.ts';

/** Characters of a name. */
const MAX_NAME = 1_000;
/** Characters of names that are looked up for all fields: each may be tried in every scope around it. */
const MAX_LOOKED_UP = 100_000_000;

/** All message types by their full names, and the names of each file's own. */
export interface Linked {
  readonly messages: ReadonlyMap<string, MessageType>;
  readonly ofFile: ReadonlyMap<string, readonly string[]>;
}

/** A message type while its fields are put in. */
interface Draft extends MessageType {
  readonly fields: Map<number, Field>;
  readonly required: Field[];
  slots: number;
  isPart: boolean;
}
/** Where a field is declared. Null in place of the file for Google's own types. */
interface Place {
  readonly file: ParsedProto | null;
  readonly scope: string;
  readonly name: string;
}
/** Google's own types have JSON's names as keys, and these beside them. */
type AnyField = (IField | IMapField | IExtensionField) & { readonly protoName?: string };

/**
 * Looks up the types that fields name, across all files: what is imported is not asked, so that an import of nothing
 * but options need not be there.
 * @throws {ProtoError} if a type is nowhere, or one name is there twice, or there is too much
 */
export function link({ files, wellKnown }: Parsed): Linked {
  const linking = new Linking(files);
  for (const file of files) linking.declare(file.types, '', file);
  for (const types of wellKnown) linking.declare(types, '', null);
  linking.complete();
  return { messages: linking.messages, ofFile: linking.ofFile };
}

class Linking {
  readonly messages = new Map<string, Draft>();
  readonly ofFile = new Map<string, string[]>();
  readonly #enums = new Map<string, EnumType>();
  readonly #declaredIn = new Map<string, ParsedProto | null>();
  readonly #types: [Draft, IType, ParsedProto | null][] = [];
  readonly #extensions: [Place, IExtensionField][] = [];
  readonly #files: readonly ParsedProto[];
  #fields = 0;
  #lookedUp = 0;

  constructor(files: readonly ParsedProto[]) {
    this.#files = files;
    for (const { name } of files) this.ofFile.set(name, []);
  }

  declare(namespace: INamespace, scope: string, file: ParsedProto | null): void {
    for (const [name, nested] of Object.entries(namespace.nested ?? {})) {
      const full = scope === '' ? name : `${scope}.${name}`;
      if (full.length > MAX_NAME) throw nameTooLong({ file, scope, name });
      if ('fields' in nested) {
        if (this.#isNew({ file, scope, name }, full)) this.#message(nested, full, file);
      } else if ('values' in nested) {
        if (this.#isNew({ file, scope, name }, full)) {
          if (Object.keys(nested.values).some((value) => value.length > MAX_NAME))
            throw nameTooLong({ file, scope, name });
          this.#enums.set(full, enumOf(full, nested));
        }
      } else if ('extend' in nested) {
        this.#extensions.push([{ file, scope, name }, nested]);
      }
      this.declare(nested, full, file);
    }
  }

  /** Puts fields into the messages, now that all types are known. */
  complete(): void {
    for (const [message, { fields, oneofs = {} }, file] of this.#types) {
      const oneofOf = new Map(Object.entries(oneofs).flatMap(([oneof, of]) => of.oneof.map((name) => [name, oneof])));
      for (const [key, field] of Object.entries<AnyField>(fields)) {
        const name = field.protoName ?? key;
        const place = { file, scope: message.name, name };
        this.#add(message, field, place, { name, oneof: oneofOf.get(key) ?? null });
      }
    }
    for (const [place, extension] of this.#extensions) {
      const extended = this.messages.get(this.#fullName(extension.extend, place) ?? '');
      // Options of the files themselves, mostly: what is not loaded is not decoded either.
      if (extended === undefined || extended.fields.has(extension.id)) continue;
      const full = place.scope === '' ? place.name : `${place.scope}.${place.name}`;
      this.#add(extended, extension, place, { name: `[${full}]`, oneof: null });
    }
    for (const message of this.messages.values()) {
      const fields = [...message.fields.values()];
      message.slots = new Set(fields.map((field) => field.oneof ?? field)).size;
    }
  }

  #message(type: IType, full: string, file: ParsedProto | null): void {
    const message: Draft = { kind: 'message', name: full, fields: new Map(), required: [], slots: 0, isPart: false };
    this.messages.set(full, message);
    if (file !== null) this.ofFile.get(file.name)?.push(full);
    this.#types.push([message, type, file]);
  }

  /** @throws {ProtoError} if another file has it already; a file's own copy of Google's types takes their place */
  #isNew(place: Place, full: string): boolean {
    const before = this.#declaredIn.get(full);
    if (before === undefined) {
      this.#declaredIn.set(full, place.file);
      if (place.file !== null && this.#declaredIn.size > PROTO_LIMITS.types) {
        throw new ProtoError(place.file.name, null, `expected ${PROTO_LIMITS.types} types at most in all files`);
      }
      return true;
    }
    if (place.file === null || before === null) return false;
    throw problemAt(place, `expected a name of its own, but ${full} is in ${before.name} already`);
  }

  #add(
    message: Draft,
    field: AnyField,
    place: Place,
    { name, oneof }: { readonly name: string; readonly oneof: string | null },
  ): void {
    const number = field.id;
    if (name.length > MAX_NAME) throw nameTooLong(place);
    if (number < 1 || number > MAX_FIELD) {
      throw problemAt(place, `expected a field number from 1 to ${MAX_FIELD}, but found ${number}`);
    }
    if (++this.#fields > PROTO_LIMITS.fields && place.file !== null) {
      throw new ProtoError(place.file.name, null, `expected ${PROTO_LIMITS.fields} fields at most in all files`);
    }
    const type = this.#typeOf(field.type, place);
    let built: Field;
    if ('keyType' in field) {
      const entry = entryOf(`${message.name}.${name}`, this.#typeOf(field.keyType, place), type);
      built = { name, number, type: entry, label: 'map', oneof: null };
    } else {
      const { rule } = field;
      built = { name, number, type, label: rule === 'repeated' || rule === 'required' ? rule : 'singular', oneof };
    }
    message.fields.set(number, built);
    if (built.label === 'required') message.required.push(built);
  }

  #typeOf(named: string, place: Place): Field['type'] {
    if (Object.hasOwn(SCALARS, named)) return named as Scalar;
    const full = this.#fullName(named, place) ?? '';
    const message = this.messages.get(full);
    if (message !== undefined && full !== place.scope) message.isPart = true;
    const type = message ?? this.#enums.get(full);
    if (type !== undefined) return type;
    const missing = place.file?.imports.find((path) => !this.#isThere(path));
    const hint =
      missing === undefined
        ? ''
        : `: it may be in ${missing.slice(0, MAX_NAME)}, which has to be loaded along with this file`;
    throw problemAt(place, `expected a type that is declared, but found ${quoted(named)}${hint}`);
  }

  /** From the innermost scope outwards: https://protobuf.dev/programming-guides/proto3/#name-resolution */
  #fullName(named: string, { file, scope }: Place): string | null {
    if (named.length > MAX_NAME) return null;
    if (named.startsWith('.')) return named.slice(1);
    for (let within = scope; ; within = within.slice(0, Math.max(0, within.lastIndexOf('.')))) {
      const full = within === '' ? named : `${within}.${named}`;
      if ((this.#lookedUp += full.length) > MAX_LOOKED_UP) {
        throw new ProtoError(file?.name ?? '', null, 'expected fewer fields in fewer scopes with shorter names');
      }
      if (this.#declaredIn.has(full)) return full;
      if (within === '') return null;
    }
  }

  #isThere(path: string): boolean {
    return WELL_KNOWN.includes(path) || this.#files.some(({ name }) => isSameFile(name, path));
  }
}

/** One path is the end of the other: a file picker knows no folders. */
export function isSameFile(a: string, b: string): boolean {
  return a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`);
}

function enumOf(name: string, { values }: IEnum): EnumType {
  const names = new Map<number, string>();
  for (const [value, number] of Object.entries(values)) if (!names.has(number)) names.set(number, value);
  return { kind: 'enum', name, names };
}

function entryOf(name: string, key: Field['type'], value: Field['type']): MessageType {
  const part = (number: number, type: Field['type']): Field => ({
    name: number === 1 ? 'key' : 'value',
    number,
    type,
    label: 'singular',
    oneof: null,
  });
  const fields = new Map([1, 2].map((number) => [number, part(number, number === 1 ? key : value)]));
  return { kind: 'message', name, fields, required: [], slots: 2, isPart: true };
}

function nameTooLong(place: Place): ProtoError {
  return problemAt(place, `expected names of ${MAX_NAME} characters at most`);
}

function problemAt({ file, scope, name }: Place, problem: string): ProtoError {
  if (file === null) return new ProtoError('google/protobuf', null, problem);
  return new ProtoError(
    file.name,
    lineOf(file, (one) => one.scope === scope && one.name === name),
    problem,
  );
}
