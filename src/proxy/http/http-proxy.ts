import { createRequire } from 'node:module';
import util from 'node:util';
import type ProxyServer from 'http-proxy';

/** The part of http-proxy that is used: one request at a time, everything about it said in the call. */
export type HttpProxy = Pick<ProxyServer, 'web' | 'on'>;

/**
 * Loads http-proxy without its deprecation warning. Version 1.18.1 takes `util._extend` when it is loaded and calls it
 * for every request, which Node 22 and later answer with DEP0060 on stderr. Object.assign does the same.
 */
function loadHttpProxy(): typeof ProxyServer {
  const extendable = util as unknown as { _extend: unknown };
  const before = extendable._extend;
  extendable._extend = Object.assign;
  try {
    return createRequire(import.meta.url)('http-proxy') as typeof ProxyServer;
  } finally {
    extendable._extend = before;
  }
}

const httpProxy = loadHttpProxy();

export function createHttpProxy(): HttpProxy {
  // The response is written by the exchange: http-proxy would re-case, merge and drop header fields.
  return httpProxy.createProxyServer({ selfHandleResponse: true });
}
