import { MemoryStore } from '../../src/capture/memory-store.ts';
import { describeStore } from './store-contract.ts';

let nowUs = 1_700_000_000_000_000;

describeStore('the store in memory', (options) => new MemoryStore({ ...options, clock: () => ++nowUs }));
