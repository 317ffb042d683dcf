import { expect, it } from 'vitest';
import { logOfCall } from '../../src/mcp/failure.ts';

it('what is logged of a tool carries the id of the call that it was asked about, and nothing else that was given as one', () => {
  const lines: object[] = [];
  const write = (fields: object): void => void lines.push(fields);
  const callId = '0b8f6c1e-1a2b-4c3d-8e9f-0123456789ab';
  for (const args of [{ callId }, { callId: 'the words of\na stranger' }, { callId: 7 }, null, undefined]) {
    logOfCall({ error: write, debug: write }, args).error({ part: 'x' }, 'a tool failed');
  }
  expect(lines).toEqual([{ callId, part: 'x' }, { part: 'x' }, { part: 'x' }, { part: 'x' }, { part: 'x' }]);
});
