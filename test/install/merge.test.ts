import { describe, expect, it } from 'vitest';
import { type Change, mergeEntry } from '../../src/install/merge.ts';

const ENTRY = { command: '/usr/bin/node', args: ['/opt/switchboard/dist/cli.js'] };
const CHANGE: Change = {
  key: 'mcpServers',
  name: 'switchboard',
  entry: ENTRY,
  inputs: [],
  program: '/opt/checkout/cli.js',
  force: false,
};

function merge(text: string, change: Partial<Change> = {}): string {
  return mergeEntry(text, { ...CHANGE, ...change });
}

/** What is left of a text when the lines of another one are taken out. */
function added(before: string, after: string): readonly string[] {
  const known = before.split('\n');
  return after.split('\n').filter((line) => !known.includes(line));
}

const DESKTOP = `{
  "mcpServers": {
    "filesystem": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/me"]
    }
  },
  "globalShortcut": "Ctrl+Space"
}
`;

const VSCODE = `// My servers
{
\t"servers": {
\t\t/* the browser */
\t\t"playwright": { "type": "stdio", "command": "npx", "args": ["@playwright/mcp"], },
\t},
\t"inputs": [
\t\t{ "type": "promptString", "id": "other", "description": "x" },
\t],
}
`;

describe('the file of a client', () => {
  it('gets the entry and keeps every other byte', () => {
    const after = merge(DESKTOP);
    expect(JSON.parse(after)).toEqual({
      ...JSON.parse(DESKTOP),
      mcpServers: { ...JSON.parse(DESKTOP).mcpServers, switchboard: ENTRY },
    });
    for (const line of DESKTOP.split('\n').slice(0, 5)) expect(after.split('\n')).toContain(line);
    expect(after.endsWith('"globalShortcut": "Ctrl+Space"\n}\n')).toBe(true);
  });

  it('keeps comments, commas and tabs, and gets the inputs that the entry asks for, once', () => {
    const inputs = [{ id: 'switchboard-key', description: 'The key', secret: true }];
    const change = { key: 'servers', entry: { type: 'stdio', ...ENTRY }, inputs } as const;
    const after = merge(VSCODE, change);
    for (const kept of ['// My servers', '/* the browser */', '"args": ["@playwright/mcp"], }'])
      expect(after).toContain(kept);
    expect(added(VSCODE, after).filter((line) => /^ +/.test(line))).toEqual([]);
    expect(after).toContain('"password": true');
    expect(after.match(/switchboard-key/g)).toHaveLength(1);
    expect(merge(after, change)).toBe(after);
  });

  it('may be missing, empty, end its lines as Windows does, or begin with a mark', () => {
    for (const text of ['', '  \n', '{}', '{"a":1}'])
      expect(JSON.parse(merge(text)).mcpServers.switchboard).toEqual(ENTRY);
    const windows = merge(DESKTOP.replaceAll('\n', '\r\n'));
    expect(windows.replaceAll('\r\n', '')).not.toContain('\n');
    const marked = merge(`\uFEFF${DESKTOP}`);
    expect(marked.startsWith('\uFEFF{')).toBe(true);
    expect(marked.slice(1)).toBe(merge(DESKTOP));
  });

  it('is left alone when there is nothing to change, whatever the order of its keys', () => {
    const own = `{"mcpServers":{"switchboard":{"args":["/opt/switchboard/dist/cli.js"],"command":"/usr/bin/node"}}}`;
    expect(merge(own)).toBe(own);
    expect(merge(merge(DESKTOP))).toBe(merge(DESKTOP));
  });

  it('keeps what the user has added to an entry of ours, and loses what was ours before', () => {
    const old = JSON.stringify({
      mcpServers: {
        switchboard: {
          command: 'node',
          args: ['/old/switchboard/cli.js', '--simulate'],
          env: { MAX_CALLS_PER_HOUR: '3' },
          autoApprove: ['get-call'],
        },
      },
    });
    const entry = { ...ENTRY, env: { OPENAI_VOICE: 'sage' } };
    expect(JSON.parse(merge(old, { entry })).mcpServers.switchboard).toEqual({
      ...ENTRY,
      env: { OPENAI_VOICE: 'sage', MAX_CALLS_PER_HOUR: '3' },
      autoApprove: ['get-call'],
    });
    const remote = { type: 'http', url: 'https://switchboard.example.com/mcp' };
    expect(JSON.parse(merge(old, { entry: remote })).mcpServers.switchboard).toEqual({
      ...remote,
      autoApprove: ['get-call'],
    });
  });

  it('knows an entry of ours by the program too, in whatever folder that is', () => {
    const old = '{"mcpServers":{"switchboard":{"command":"node","args":["/opt/checkout/cli.js"]}}}';
    expect(JSON.parse(merge(old))).toEqual({ mcpServers: { switchboard: ENTRY } });
  });

  it('does not lose a server of somebody else under the same name, unless that is wanted', () => {
    const theirs = '{"mcpServers":{"switchboard":{"command":"telephone-exchange"}}}';
    expect(() => merge(theirs)).toThrow(/another server under the name switchboard; nothing was changed/);
    expect(() => merge(theirs, { entry: null })).toThrow(/take it out yourself/);
    expect(JSON.parse(merge(theirs, { force: true })).mcpServers.switchboard).toEqual(ENTRY);
  });

  it.each([
    ['{"mcpServers": {', /not valid JSON \(line 1/],
    ['{\n  "mcpServers": {\n    "a": nonsense\n  }\n}', /not valid JSON \(line 3/],
    ['[]', /form of this client/],
    ['"text"', /form of this client/],
    ['{"mcpServers": []}', /form of this client/],
  ])('is not touched when it cannot be understood: %s', (text, why) => {
    expect(() => merge(text)).toThrow(why);
  });

  it('is as before when the entry is taken out again', () => {
    expect(JSON.parse(merge(merge(DESKTOP), { entry: null }))).toEqual(JSON.parse(DESKTOP));
    expect(merge(DESKTOP, { entry: null })).toBe(DESKTOP);
    expect(merge('', { entry: null })).toBe('');
  });
});
