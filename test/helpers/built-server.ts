import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '..', '..');

/** A build of src/ in a folder of its own, as `npm run build:server` makes it, without looking at the types. */
export async function buildServer(): Promise<{ readonly cli: string; remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'frametap-built-'));
  const out = join(root, 'dist', 'server');
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.base.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const names = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
  await writeFileIn(root, 'package.json', await readFile(join(ROOT, 'package.json'), 'utf8'));
  for (const name of names) {
    const source = await readFile(join(ROOT, 'src', name), 'utf8');
    // One file alone does not see that package.json says ESM.
    const compilerOptions = { ...options, module: ts.ModuleKind.ESNext };
    const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: name });
    await writeFileIn(out, name.replace(/\.ts$/, '.js'), outputText);
  }
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'junction');
  await cp(join(ROOT, 'dist', 'web'), join(root, 'dist', 'web'), { recursive: true }).catch(() => undefined);
  return { cli: join(out, 'cli.js'), remove: () => rm(root, { recursive: true, force: true }) };
}

async function writeFileIn(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
