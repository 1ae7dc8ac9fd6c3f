import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { visibleLine } from '../format/visible-text.ts';
import { forgetFault, useProtoFiles } from './proto-files.ts';

/** What was wrong with the .proto that should have been loaded, until it is read. */
export function ProtoFault(): ReactNode {
  const fault = useProtoFiles((protos) => protos.fault);
  return (
    <div role="alert">
      {fault !== null && (
        <div className="proto-fault">
          <span>{visibleLine(fault)}</span>
          <button
            type="button"
            className="button plain small icon"
            aria-label="Dismiss"
            title="Dismiss"
            onClick={forgetFault}
          >
            <X size={13} aria-hidden />
          </button>
        </div>
      )}
    </div>
  );
}
