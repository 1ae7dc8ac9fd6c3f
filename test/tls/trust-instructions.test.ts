import { describe, expect, it } from 'vitest';
import { trustInstructions, trustText } from '../../src/tls/trust-instructions.ts';

const facts = { certificate: '/home/ada/my certs/ca.pem', proxyUrl: 'http://127.0.0.1:8080' };

describe('the instructions', () => {
  it('are there for every system and program, by an id of its own', () => {
    const ids = trustInstructions(facts).map(({ id }) => id);
    expect(ids).toEqual([
      ...['macos', 'windows', 'debian', 'fedora', 'chrome-linux', 'firefox'],
      ...['node', 'curl', 'python', 'java', 'android', 'ios'],
    ]);
    for (const { steps, commands } of trustInstructions(facts))
      expect(steps.length + commands.length).toBeGreaterThan(0);
  });

  it('name the file so that a shell takes it as one word', () => {
    const commands = trustInstructions(facts).flatMap((instruction) => instruction.commands);
    const naming = commands.filter((command) => command.includes('my certs'));
    expect(naming.length).toBeGreaterThanOrEqual(8);
    for (const command of naming) expect(command).toContain('"/home/ada/my certs/ca.pem"');
    const hostile = trustInstructions({ ...facts, certificate: '/x/$(reboot)`a`".pem' });
    expect(hostile.find(({ id }) => id === 'fedora')?.commands[0]).toContain('"/x/\\$(reboot)\\`a\\`\\".pem"');
    const plain = trustInstructions({ ...facts, certificate: 'ca.pem' });
    expect(plain.find(({ id }) => id === 'node')?.commands).toEqual(['export NODE_EXTRA_CA_CERTS=ca.pem']);
  });

  it('are plain text for a terminal', () => {
    const text = trustText(trustInstructions(facts));
    expect(text).toContain('macOS\n  Trust it');
    expect(text).toContain('\n    curl --proxy http://127.0.0.1:8080 --cacert "/home/ada');
  });
});
