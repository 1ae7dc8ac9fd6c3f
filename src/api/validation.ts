import type { TSchema } from 'typebox';
import type { FastifySchemaCompiler } from 'fastify';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { FrametapError } from '../errors.ts';

type Properties = Readonly<Record<string, { readonly description?: string } | undefined>>;

/**
 * Validates requests with the schemas that also document them. Parameters come as text: numbers are read, what is left
 * out, or empty where it may be left out, gets its default. One that there is not is refused: a mistyped filter would else
 * let everything through. Bodies are taken as they are.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  const properties = 'properties' in schema ? (schema.properties as Properties) : {};
  const required: ReadonlySet<string> = new Set('required' in schema ? (schema.required as string[]) : []);
  return (sent: unknown) => {
    let value = sent;
    if (httpPart === 'querystring') {
      const given = Object.entries(sent as object).filter(([name, text]) => text !== '' || required.has(name));
      const unknown = given.find(([name]) => !Object.hasOwn(properties, name));
      if (unknown !== undefined) return { error: noParameter(unknown[0], Object.keys(properties)) };
      value = Object.fromEntries(given);
    }
    const read = httpPart === 'body' ? value : Value.Convert(schema, Value.Default(schema, value));
    if (compiled.Check(read)) return { value: read };
    const errors = compiled.Errors(read);
    const [first] = errors;
    const means = properties[first?.instancePath.slice(1) ?? '']?.description;
    // A pattern says nothing to people.
    if (first?.keyword === 'pattern' && means !== undefined)
      return { error: [{ ...first, message: `must be ${means}` }] };
    return { error: errors };
  };
};

function noParameter(name: string, known: readonly string[]): FrametapError {
  const shown = JSON.stringify(name.slice(0, 80));
  return new FrametapError('invalid-parameter', `There is no parameter ${shown}. There are: ${known.join(', ')}.`);
}
