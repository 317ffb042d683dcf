import type { StoreLook } from '../store/store.ts';
import { type Finding, fail, ok } from './finding.ts';

const CHECK = 'store';

export function checkStore(look: StoreLook): Finding {
  switch (look.kind) {
    case 'absent':
      return ok(CHECK, 'There is none yet; the first start makes it.');
    case 'sound':
      return ok(CHECK, `It is sound, and holds ${countText(look.calls)}.`);
    case 'older':
      return ok(
        CHECK,
        `It is sound, holds ${countText(look.calls)}, and will be brought up to date at the next start.`,
      );
    case 'newer':
      return fail(
        CHECK,
        `It was written by a newer Switchboard (schema ${look.schema}, this one knows ${look.current}).`,
        'Update Switchboard, or set DATA_DIR to another folder.',
      );
    case 'damaged':
      return fail(
        CHECK,
        'Its file is damaged.',
        'Stop the server, move switchboard.sqlite with its -wal and -shm files away, and restore a backup.',
      );
    case 'unreadable':
      return fail(
        CHECK,
        'Its file cannot be read.',
        'Let DATA_DIR and the files in it belong to the user of the server.',
      );
    default:
      return look satisfies never;
  }
}

function countText(calls: number): string {
  return calls === 1 ? 'one call' : `${calls} calls`;
}
