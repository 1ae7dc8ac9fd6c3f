/** A .proto file, as `PUT /api/protos` takes it. Files that are imported have to be among those that are loaded. */
export interface ProtoText {
  /** Its path, as far as it is known, with slashes. */
  readonly name: string;
  readonly text: string;
}

/** `GET /api/protos`, and what loading and removing answer: the files that are loaded, in the order of their names. */
export interface LoadedProtos {
  readonly files: readonly LoadedProto[];
  /** After loading: names of files with another text in whose place one has come. Left out where there is none. */
  readonly replaced?: readonly string[];
}

export interface LoadedProto {
  readonly name: string;
  /** Length of its text in UTF-8. */
  readonly bytes: number;
  /** Full names of its message types, with those inside of others: `as=protobuf:NAME` decodes by one. */
  readonly messages: readonly string[];
}

/** What may be loaded at a time. */
export const PROTO_LIMITS = {
  files: 200,
  fileBytes: 1024 ** 2,
  totalBytes: 4 * 1024 ** 2,
  types: 5_000,
  fields: 50_000,
};
