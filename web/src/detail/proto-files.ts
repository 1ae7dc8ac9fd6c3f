import { create } from 'zustand';
import { PROTO_LIMITS, type LoadedProto, type LoadedProtos } from '../../../src/contract/protos.ts';
import { fetchProtos, loadProtos, removeProtos } from '../capture/api.ts';
import { formatBytes, formatCount } from '../format/numbers.ts';
import { say } from '../shell/copy.ts';

interface ProtoFiles {
  /** False until the server has said what is loaded. */
  readonly known: boolean;
  readonly files: readonly LoadedProto[];
  /** Why the last loading or removing did not work. */
  readonly fault: string | null;
  /** Another one whenever what is loaded has changed from here. */
  readonly version: number;
}

/** The .proto files that the server has loaded, as far as is known here. */
export const useProtoFiles = create<ProtoFiles>(() => ({ known: false, files: [], fault: null, version: 0 }));

export const forgetFault = (): void => useProtoFiles.setState({ fault: null });

/** Asks what is loaded: others may have loaded something too. */
export async function refreshProtos(): Promise<void> {
  try {
    useProtoFiles.setState({ known: true, files: (await fetchProtos()).files });
  } catch (error) {
    useProtoFiles.setState({ fault: messageOf(error) });
  }
}

export async function loadProtoFiles(picked: readonly File[]): Promise<void> {
  const tooBig = picked.find(({ size }) => size > PROTO_LIMITS.fileBytes);
  if (tooBig !== undefined) {
    const fault = `${tooBig.name} has ${formatBytes(tooBig.size)}: ${formatBytes(PROTO_LIMITS.fileBytes)} at most are loaded.`;
    useProtoFiles.setState({ fault });
    return;
  }
  await change(async () => {
    const texts = picked.map(async (file) => ({ name: file.webkitRelativePath || file.name, text: await file.text() }));
    return loadProtos(await Promise.all(texts));
  });
}

export const removeProtoFiles = (name?: string): Promise<void> =>
  change(() => removeProtos(name), name === undefined ? '' : `${name} stays. `);

/** @param otherwise what is said before the reason, if it does not work */
async function change(ask: () => Promise<LoadedProtos>, otherwise = ''): Promise<void> {
  try {
    const { files, replaced = [] } = await ask();
    useProtoFiles.setState(({ version }) => ({ known: true, files, fault: null, version: version + 1 }));
    const types = files.reduce((sum, { messages }) => sum + messages.length, 0);
    const instead = replaced.length === 0 ? '' : `, in place of another ${replaced.join(', ')}`;
    const loaded = types === 1 ? 'One message type is loaded' : `${formatCount(types)} message types are loaded`;
    say(files.length === 0 ? 'No .proto is loaded' : loaded + instead);
  } catch (error) {
    useProtoFiles.setState({ fault: otherwise + messageOf(error) });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
