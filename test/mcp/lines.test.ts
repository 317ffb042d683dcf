import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { createLineGuard } from '../../src/mcp/lines.ts';

it('a line that cannot even be looked at is answered with an error, and the lines behind it pass', async () => {
  const output = new PassThrough();
  const faults: unknown[] = [];
  const guard = createLineGuard({
    output,
    complaintAbout: (value) => {
      if ((value as { id: unknown }).id === 1) throw new RangeError('Maximum call stack size exceeded');
      return null;
    },
    onFault: (error) => faults.push(error),
  });
  const passed = text(guard);
  guard.end('{"id":1}\n{"id":2}\n');
  expect(await passed).toBe('{"id":2}\n');
  output.end();
  expect(JSON.parse(await text(output))).toMatchObject({ jsonrpc: '2.0', id: 1, error: { code: -32603 } });
  expect(faults).toHaveLength(1);
});
