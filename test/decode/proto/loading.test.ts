import { describe, expect, it } from 'vitest';
import { PROTO_LIMITS, type ProtoText } from '../../../src/contract/protos.ts';
import { LoadedTypes } from '../../../src/decode/proto/loaded-types.ts';

const PROTO3 = 'syntax = "proto3";\n';
const file = (name: string, ...lines: readonly string[]): ProtoText => ({ name, text: lines.join('\n') });
async function loaded(...files: readonly ProtoText[]): Promise<LoadedTypes> {
  const types = new LoadedTypes();
  await types.load(files);
  return types;
}
const namesOf = (types: LoadedTypes): string[] => types.list().files.map(({ name }) => name);

describe('files that are loaded', () => {
  it('are listed with their messages, also those inside of others', async () => {
    const types = await loaded(
      file(
        'b.proto',
        'package b;',
        'message Outer { message Inner {} enum Kind { A = 0; } repeated Inner inner = 1; }',
      ),
      file('a.proto', 'message A {}', 'service S { rpc Get(A) returns (A); }'),
    );
    expect(types.list()).toEqual({
      files: [
        { name: 'a.proto', bytes: 50, messages: ['A'] },
        { name: 'b.proto', bytes: 92, messages: ['b.Outer', 'b.Outer.Inner'] },
      ],
    });
    expect(['A', 'b.Outer.Inner', 'google.protobuf.Timestamp'].map((name) => types.has(name))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['B', 'b.Outer.Kind', 'b', '', '__proto__'].map((name) => types.has(name))).not.toContain(true);
  });

  it('find each other’s types whatever folder an import names, and Google’s without being given them', async () => {
    const order = file(
      'order.proto',
      PROTO3,
      'import "shop/common/money.proto";',
      'import "google/protobuf/timestamp.proto";',
      'package shop;',
      'message Order { common.Money price = 1; google.protobuf.Timestamp at = 2; }',
    );
    const money = file('money.proto', PROTO3, 'package shop.common;', 'message Money { int64 units = 1; }');
    await expect(loaded(order, money)).resolves.toBeDefined();
    const later = await loaded(money);
    await later.load([order]);
    expect(namesOf(later)).toEqual(['money.proto', 'order.proto']);
  });

  it('may leave out imports that only options are from', async () => {
    const types = await loaded(
      file(
        'a.proto',
        PROTO3,
        'import "google/protobuf/descriptor.proto";',
        'import "validate/validate.proto";',
        'extend google.protobuf.FieldOptions { string note = 50001; }',
        'message A { int32 n = 1 [(note) = "x", (validate.rules).int32 = { gt: 0 }]; }',
      ),
    );
    expect(types.has('A')).toBe(true);
  });

  it('take the place of the one with the same name, with or without its folder', async () => {
    const types = await loaded(file('protos/a.proto', 'message Old {}'), file('protos/b.proto', 'message B {}'));
    await types.load([file('a.proto', 'message New {}')]);
    expect(namesOf(types)).toEqual(['a.proto', 'protos/b.proto']);
    expect([types.has('Old'), types.has('New')]).toEqual([false, true]);
    await types.load([file('other/b.proto', 'message Other {}')]);
    expect(namesOf(types)).toEqual(['a.proto', 'other/b.proto', 'protos/b.proto']);
  });

  it('say whose place they have taken, where that was another text', async () => {
    const types = new LoadedTypes();
    expect(await types.load([file('v1/service.proto', 'message Old {}')])).not.toHaveProperty('replaced');
    expect(await types.load([file('v2/service.proto', 'message New {}')])).not.toHaveProperty('replaced');
    expect(await types.load([file('v2/service.proto', 'message New {}')])).not.toHaveProperty('replaced');
    expect(await types.load([file('v2/service.proto', 'message Newer {}')])).toMatchObject({
      replaced: ['v2/service.proto'],
    });
    expect(await types.load([file('service.proto', 'message Picked {}')])).toMatchObject({
      replaced: ['v1/service.proto', 'v2/service.proto'],
    });
    expect(types.list()).not.toHaveProperty('replaced');
  });

  it('may bring Google’s types themselves', async () => {
    const any = 'message Any { string type_url = 1; bytes value = 2; }';
    const types = await loaded(file('any.proto', PROTO3, 'package google.protobuf;', any));
    expect(types.list().files[0]?.messages).toEqual(['google.protobuf.Any']);
  });

  it('go one by one, but not while another needs them, or all at once', async () => {
    const types = await loaded(
      file('a.proto', PROTO3, 'import "b.proto";', 'message A {', '  B b = 1;', '}'),
      file('b.proto', 'message B {}'),
    );
    expect(() => types.remove('b.proto')).toThrow(/^a\.proto, line 5: expected a type .* found "B".* b\.proto/);
    expect(() => types.remove('c.proto')).toThrow(expect.objectContaining({ code: 'not-found' }));
    types.remove('a.proto');
    types.remove('b.proto');
    expect(types.list()).toEqual({ files: [] });
    await types.load([file('b.proto', 'message B {}')]);
    expect(types.removeAll()).toEqual({ files: [] });
    expect(types.has('B')).toBe(false);
  });

  it('are all there when several are loaded at the same time', async () => {
    const types = new LoadedTypes();
    const names = Array.from({ length: 5 }, (_, i) => `f${i}.proto`);
    await Promise.all(names.map((name, i) => types.load([file(name, `message M${i} {}`)])));
    expect(namesOf(types)).toEqual(names);
  });
});

describe('a file that is wrong', () => {
  const inMessage = (...lines: string[]): string => [PROTO3 + 'message M {', ...lines, '}'].join('\n');
  it.each<[string, string, number, RegExp]>([
    ['a missing semicolon', inMessage('int32 a = 1', 'int32 b = 2;'), 4, /expected ";", but found "int32"/],
    ['a misspelt word', `${PROTO3}mesage M {}`, 2, /expected a declaration, but found "mesage"/],
    ['a word of proto3 in proto2', 'message M {\n int32 a = 1;\n}', 2, /found "int32" \(without syntax = "proto3"/],
    ['a number twice', inMessage('int32 a = 1;', 'int32 b = 1;'), 4, /a number of its own, but 1 is taken/],
    [
      'a name twice',
      inMessage('int32 a = 1;', 'oneof o {', 'string a = 2;', '}'),
      5,
      /name of its own, but a is taken/,
    ],
    ['a message twice', 'message M {}\n\nmessage M {}', 3, /a name of its own, but M is taken/],
    ['an enum number twice', inMessage('enum E { A = 0; ', 'B = 0; }'), 4, /a number of its own, but 0 is taken/],
    [
      'a reserved number',
      inMessage('reserved 2 to 4;', '', 'int32 c = 3;'),
      5,
      /another one than 3, which is reserved/,
    ],
    ['no number', inMessage('int32 a = x;'), 3, /expected a number, but found "x"/],
    ['no name', inMessage('int32 5 = 1;'), 3, /expected a name, but found "5"/],
    [
      'a number that is too big',
      inMessage('int32 a = 1;', 'int32 b = 536870912;'),
      4,
      /a field number from 1 to 536870911/,
    ],
    ['the number 0', inMessage('/* int32 a = 0;', '*/ int32 b', '= 0;'), 5, /a field number from 1 to/],
    ['a type that is nowhere', inMessage('string s = 1; // Strng t', 'Strng t = 2;'), 4, /declared, but found "Strng"/],
    [
      'a type of a file that is missing',
      `import "x/y.proto";\nmessage M {\n optional y.T t = 1;\n}`,
      3,
      /x\/y\.proto, which has/,
    ],
    [
      'a type of Google’s that is not there',
      'import "google/protobuf/descriptor.proto";\nmessage M {\n optional google.protobuf.FileOptions o = 1;\n}',
      3,
      /may be in google\/protobuf\/descriptor\.proto/,
    ],
    ['a key that no map has', inMessage('map<double, int32> m = 1;'), 3, /may stand here, but found "double"/],
    ['an end too early', inMessage('int32 a = 1;').slice(0, -2), 3, /the file ends here/],
    ['a text that does not end', `import "a.proto;\n`, 1, /a text that is never closed/],
    ['a comment that does not end', `message A {}\n/* and so on`, 2, /a comment that is never closed/],
    ['another syntax', 'edition = "1999";', 1, /an edition that is known .*, but found "1999"/],
    ['something else altogether', '<html>', 1, /a declaration, but found "<"/],
  ])('says on which line, and what was expected: %s', async (_, text, line, message) => {
    const attempt = loaded(file('some/bad.proto', text));
    await expect(attempt).rejects.toMatchObject({ code: 'invalid-proto', file: 'some/bad.proto', line, exitCode: 78 });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(`some/bad.proto, line ${line}: `);
  });

  it('changes nothing of what is loaded', async () => {
    const types = await loaded(file('a.proto', 'message A {}'));
    await expect(types.load([file('b.proto', 'message B {}'), file('c.proto', 'message C {')])).rejects.toThrow(
      'c.proto',
    );
    await expect(types.load([file('d.proto', 'message A {}')])).rejects.toThrow(
      /^d\.proto, line 1: .* A is in a\.proto/,
    );
    await expect(types.load([file('e.proto', ''), file('e.proto', '')])).rejects.toThrow('expected each name once');
    expect(namesOf(types)).toEqual(['a.proto']);
    expect([types.has('A'), types.has('B')]).toEqual([true, false]);
  });
});

describe('a hostile file that is wrong', () => {
  it.each<[string, string, number | null, RegExp]>([
    [
      'an edition of brackets',
      `edition = "${' ('.repeat(32_000)}";`,
      1,
      /an edition that is known .*, but found " \( \(/,
    ],
    ['a declaration without end', `${PROTO3}\n${'x'.repeat(500_000)}`, 3, /a declaration, but found "xxx/],
    ['a token that is expected', `${PROTO3}message M { int32 a = 1 ${"','".repeat(100_000)}`, 2, /expected/],
    ['lines without end', `${'\n'.repeat(300_000)}x`, 300_001, /a declaration, but found "x"/],
    ['an import without end', `import "${'x'.repeat(9_000)}";\nmessage M {\n optional T t = 1;\n}`, 3, /declared/],
    ['a type without end', `message M {\n optional ${'T'.repeat(9_000)} t = 1;\n}`, 2, /declared, but found "TTT/],
    [
      'a package without end',
      `package ${'p'.repeat(600)}.${'p'.repeat(600)}; message M {}`,
      null,
      /names of 1000 characters/,
    ],
    ['a message’s name without end', `\nmessage ${'M'.repeat(1_001)} {}`, 2, /names of 1000 characters/],
    ['a field’s name without end', `message M {\n optional bool ${'f'.repeat(1_001)} = 1; }`, 2, /1000 characters/],
    ['an enum value without end', `\nenum E { ${'V'.repeat(1_001)} = 0; }`, 2, /names of 1000 characters/],
  ])('has an error that is short and right: %s', async (_, text, line, message) => {
    const error = await loaded(file('bad.proto', text)).then(
      () => null,
      (reason: unknown) => reason as Error,
    );
    expect(error).toMatchObject({ code: 'invalid-proto', line, message: expect.stringMatching(message) as string });
    expect(error?.message.length).toBeLessThan(1_500);
  });

  it('is refused where names are looked up without end', async () => {
    const scope = Array.from({ length: 30 }, () => 'a'.repeat(32)).join('.');
    const fields = Array.from({ length: 100 }, (_, i) => `optional T f${i} = ${i + 1};`).join('');
    const messages = Array.from({ length: 80 }, (_, i) => `message M${i} { ${fields} }`);
    await expect(
      loaded(file('t.proto', 'message T {}'), file('deep.proto', `package ${scope};`, ...messages)),
    ).rejects.toThrow(/^deep\.proto: expected fewer fields/);
  });

  it('is not read where it is too much along with others', async () => {
    const texts = Array.from({ length: 5 }, (_, i) => file(`${i}`, '{'.repeat(PROTO_LIMITS.fileBytes)));
    await expect(loaded(...texts)).rejects.toThrow('bytes at most in all files');
  });
});

describe('what is loaded is bounded', () => {
  it('in files, bytes, types and fields', async () => {
    const many = Array.from({ length: PROTO_LIMITS.files + 1 }, (_, i) => file(`${i}.proto`, ''));
    await expect(loaded(...many)).rejects.toThrow(`expected ${PROTO_LIMITS.files} files at most`);
    await expect(loaded(file('a', ' '.repeat(PROTO_LIMITS.fileBytes + 1)))).rejects.toThrow(/^a: .* bytes at most/);
    const big = Array.from({ length: 5 }, (_, i) => file(`${i}`, ' '.repeat(PROTO_LIMITS.fileBytes)));
    await expect(loaded(...big)).rejects.toThrow('bytes at most in all files');
    const wide = Array.from({ length: PROTO_LIMITS.types + 1 }, (_, i) => `enum E${i} { V${i} = 0; }`);
    await expect(loaded(file('wide', ...wide))).rejects.toThrow(`${PROTO_LIMITS.types} types at most`);
    const fields = Array.from({ length: 100 }, (_, i) => `optional int32 f${i} = ${i + 1};`).join('');
    const messages = Array.from({ length: PROTO_LIMITS.fields / 200 + 1 }, (_, i) => `message M${i} { ${fields} }`);
    await expect(loaded(file('a', ...messages), file('b', 'package b;', ...messages))).rejects.toThrow(
      `${PROTO_LIMITS.fields} fields at most`,
    );
  });

  it.each<[string, string]>([
    ['deep messages', 'message A {'.repeat(5000)],
    ['open braces', '{'.repeat(500_000)],
    ['a package of many parts', `package ${'a.'.repeat(50_000)}a;\nmessage B {}`],
    ['comments in comments', '/*'.repeat(300_000)],
    ['escapes without end, and a name twice', `message A {} message A {} option x = "${'\\a'.repeat(300_000)}`],
    ['deep options', `option (x) = ${'{a:'.repeat(10_000)}`],
    [
      'names of JavaScript',
      'message __proto__ {} message constructor { optional constructor toString = 1; } message B',
    ],
  ])('in work, and wrong in good time: %s', async (_, text) => {
    await expect(loaded(file('bad.proto', text))).rejects.toMatchObject({ code: 'invalid-proto' });
  });

  it('in time where protobufjs itself is not', async () => {
    const options = `option (x) = { ${'a: 1 '.repeat(180_000)} };`;
    const fields = Array.from({ length: 30_000 }, (_, i) => `optional int32 f${i} = ${i + 1};`).join('\n');
    const quotes = `import "${'\\"'.repeat(300_000)}`;
    for (const text of [options, `message M { ${fields} }`, quotes]) {
      const types = new LoadedTypes({ parseLimitMs: 500 });
      await expect(types.load([file('slow.proto', text)])).rejects.toThrow(/^slow\.proto: .*too much time or memory/);
      expect(types.list()).toEqual({ files: [] });
    }
  });
});
