import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { FRAME_VIOLATIONS, HANDSHAKE_VIOLATIONS, MESSAGE_VIOLATIONS } from '../src/contract/violations.ts';
import { type ErrorCode, ERRORS } from '../src/errors.ts';

const docs = join(import.meta.dirname, '..', 'docs');

/** Holds a page against the text that its catalogue makes; `vitest -u` writes it anew. */
async function expectPage(name: string, text: string): Promise<void> {
  const path = join(docs, name);
  const formatted = await format(text, { ...(await resolveConfig(path)), parser: 'markdown' });
  await expect(formatted).toMatchFileSnapshot(path);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

describe('the pages made from catalogues', () => {
  it('docs/errors.md has every error code', async () => {
    const rows = (Object.keys(ERRORS) as ErrorCode[]).map((code) => {
      const { means, remedy, exitCode, status, closeCode, section } = ERRORS[code];
      const leaves = [
        ...(exitCode === undefined ? [] : [`exit ${exitCode}`]),
        ...(status === undefined ? [] : [`HTTP ${status}`]),
        ...(closeCode === undefined ? [] : [`close ${closeCode}`]),
      ];
      return [`\`${code}\``, means, remedy, leaves.join(', '), section ?? ''];
    });
    await expectPage(
      'errors.md',
      `# Errors

Programs match on the code. It stands in \`error.code\` of the API's answers, in the field \`Frametap-Error\` of the
proxy's own answers, in a failed session's \`fault\` and in the log.

${table(['code', 'what it means', 'what to do', 'how it shows', 'source'], rows)}
`,
    );
  });

  it('docs/violations.md has every violation', async () => {
    const rows = (list: readonly (readonly [string, string, string])[]): string =>
      table(
        ['code', 'source', 'rule'],
        list.map(([code, section, sentence]) => [`\`${code}\``, section, sentence]),
      );
    await expectPage(
      'violations.md',
      `# Violations

What breaks the protocol is forwarded as it is and marked, with who did it. With \`--strict\` the connection is failed
instead. The opening handshake alone is checked by the proxy itself: a client's that is none, and a 101 whose
Sec-WebSocket-Accept is wrong, are refused (docs/errors.md: \`handshake-…\`, \`upstream-bad-accept\`).

## Frames

Marked on the frame. The first is bit 0 of the live stream's \`violations\` word, and so on.

${rows(FRAME_VIOLATIONS)}

## Messages

Marked on the message, when it is put together for somebody who looks.

${rows(MESSAGE_VIOLATIONS)}

## Opening handshakes

Marked on the session.

${rows(HANDSHAKE_VIOLATIONS)}
`,
    );
  });
});
