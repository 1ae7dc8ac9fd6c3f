import { readFileSync } from 'node:fs';
import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';

export interface ExportedPayload {
  readonly encoding: 'utf8' | 'base64';
  readonly data: string;
  readonly truncated?: boolean;
}
export interface ExportedCapture {
  readonly sessions: readonly {
    readonly id: string;
    readonly url: string;
    readonly frameCount: number;
    readonly handshake: Readonly<Record<string, { readonly headers: readonly (readonly [string, string])[] } | null>>;
    readonly frames: readonly { readonly index: number; readonly payload: ExportedPayload | null }[];
    readonly messages: readonly {
      readonly index: number;
      readonly direction: string;
      readonly type: string;
      readonly payloadLength: number | null;
      readonly firstFrame: number;
      readonly lastFrame: number;
      readonly payload: ExportedPayload | null;
    }[];
  }[];
}

const schema = JSON.parse(readFileSync(new URL('../../docs/capture.schema.json', import.meta.url), 'utf8')) as object;
const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, strictTypes: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

/**
 * Reads a JSON export, and holds it against docs/capture.schema.json.
 * @throws with what is wrong
 */
export function readCapture(text: string): ExportedCapture {
  const capture: unknown = JSON.parse(text);
  if (!validate(capture)) throw new Error(ajv.errorsText(validate.errors, { separator: '\n' }));
  return capture as ExportedCapture;
}

export function payloadBytes(payload: ExportedPayload | null): Buffer | null {
  return payload === null ? null : Buffer.from(payload.data, payload.encoding);
}
