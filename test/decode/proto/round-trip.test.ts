import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAs } from '../../../src/decode/decoder.ts';
import { LoadedTypes } from '../../../src/decode/proto/loaded-types.ts';
import { encoded, generatedSchema, textOf, valueOf } from '../../helpers/proto-schemas.ts';

describe('a message as protobufjs writes it', () => {
  it('is shown with every field and value, whatever its type is', async () => {
    const schemas = fc.array(generatedSchema, { minLength: 1, maxLength: 20, size: 'max' });
    await fc.assert(
      fc.asyncProperty(schemas, fc.gen(), async (all, gen) => {
        const types = new LoadedTypes();
        await types.load(all.map((schema, i) => ({ name: `${i}.proto`, text: textOf(schema, `p${i}`) })));
        for (const [i, schema] of all.entries()) {
          const values = Array.from({ length: 5 }, () => valueOf(schema, gen));
          for (const [n, bytes] of encoded(schema, values).entries()) {
            const decoded = decodeAs(`protobuf:p${i}.T0`, bytes, { opcode: 2, types });
            expect(decoded?.value).toEqual(values[n]?.shown);
          }
        }
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });
});
