import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
export default function MessagesTab({ session }: { readonly session: SessionSummary }): ReactNode {
  return <div className="page">{session.url}</div>;
}
