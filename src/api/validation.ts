import type { TSchema } from 'typebox';
import type { FastifySchemaCompiler } from 'fastify';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';

/**
 * Validates requests with the schemas that also document them. Parameters come as text: numbers are read, and what is
 * left out gets its default. Bodies are taken as they are.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  return (value: unknown) => {
    const read = httpPart === 'body' ? value : Value.Convert(schema, Value.Default(schema, value));
    if (compiled.Check(read)) return { value: read };
    return { error: compiled.Errors(read) };
  };
};
