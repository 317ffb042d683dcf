import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { badges } from '../../scripts/badges.ts';
import { composeSite } from '../../scripts/compose-page.ts';
import { serverJson } from '../../scripts/server-page.ts';
import { SETTINGS } from '../../src/config/schema.ts';

const ROOT = new URL('../../', import.meta.url);

function read(name: string): string {
  return readFileSync(new URL(name, ROOT), 'utf8');
}

interface Variable {
  readonly name: string;
  readonly isSecret: boolean;
  readonly default?: string;
}

describe('server.json', () => {
  const server = JSON.parse(read('server.json'));
  const manifest = JSON.parse(read('package.json'));

  it('is what the settings make of it', () => {
    expect(read('server.json')).toBe(serverJson());
  });

  it('obeys the rules of the registry, and names the package as the package names itself', () => {
    expect(server.$schema).toBe('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json');
    expect(server.name).toMatch(/^[a-zA-Z0-9.-]{1,100}\/[a-zA-Z0-9._-]{1,100}$/);
    expect(server.name).toBe(manifest.mcpName);
    expect(server.description.length).toBeLessThanOrEqual(100);
    expect(server.title.length).toBeLessThanOrEqual(100);
    expect(server.version).toBe(manifest.version);
    for (const one of server.packages) {
      expect(one).toMatchObject({ registryType: 'npm', identifier: manifest.name, version: manifest.version });
      expect(one.version).not.toMatch(/latest|[\^~*x]/);
    }
    expect(server.packages.map(({ transport }: { transport: { type: string } }) => transport.type)).toEqual([
      'stdio',
      'streamable-http',
    ]);
  });

  it('asks for every secret as one, and gives no default for it', () => {
    const variables: readonly Variable[] = server.packages[0].environmentVariables;
    expect(variables.map(({ name }) => name)).toEqual(Object.values(SETTINGS).map(({ name }) => name));
    for (const { name, isSecret, default: fallback } of variables) {
      const setting = Object.values(SETTINGS).find((one) => one.name === name);
      expect(isSecret).toBe(setting?.secret);
      if (isSecret) expect(fallback).toBeUndefined();
    }
  });
});

describe('the badges of the README', () => {
  it('are the ones that are made, and each holds an entry that needs no secret', () => {
    expect(read('README.md')).toContain(badges());
    const links = [...badges().matchAll(/\]\((https:[^)]+)\)(?:\n|$)/g)].map(([, link = '']) => new URL(link));
    expect(links).toHaveLength(3);
    for (const { hostname, searchParams } of links) {
      const text = searchParams.get('config') ?? '';
      const entry = JSON.parse(hostname === 'cursor.com' ? Buffer.from(text, 'base64').toString('utf8') : text);
      expect(entry).toMatchObject({ command: 'npx', args: ['-y', 'switchboard-mcp'] });
      expect(Object.keys(entry).sort()).toEqual(
        hostname === 'cursor.com' ? ['args', 'command'] : ['args', 'command', 'type'],
      );
      expect(searchParams.get('name')).toBe('switchboard');
    }
  });
});

describe('compose.yaml', () => {
  const text = read('compose.yaml');

  it('mounts only files that there are, and holds no secret', () => {
    const mounted = [...text.matchAll(/^ +- (\.\/[^:]+):/gm)].map(([, path = '']) => path);
    expect(mounted).toEqual(['./nginx/compose.conf.template']);
    for (const path of mounted) expect(existsSync(new URL(path, ROOT)), path).toBe(true);
    for (const { name } of Object.values(SETTINGS).filter(({ secret }) => secret))
      expect(text).not.toMatch(new RegExp(`^ +${name}: (?!\\$\\{${name}:\\?)`, 'm'));
  });

  it('publishes the webhooks through nginx alone, and the private listener on this machine alone, with a token', () => {
    const ports = [...text.matchAll(/^ {6}- "([\d.:]+)"$/gm)].map(([, port]) => port);
    expect(ports).toEqual(['127.0.0.1:8787:8787', '80:80', '443:443']);
    expect(text).toContain('MCP_AUTH_TOKEN: ${' + 'MCP_AUTH_TOKEN:?');
    for (const line of ['read_only: true', 'no-new-privileges:true', 'stop_grace_period: 45s'])
      expect(text).toContain(line);
  });

  it('gives nginx the site file that is tested, with another name and another place', () => {
    const site = read('nginx/switchboard.conf');
    const template = read('nginx/compose.conf.template');
    expect(template).toBe(composeSite(site));
    const back = template
      .replaceAll('${' + 'SWITCHBOARD_DOMAIN}', 'calls.example.com')
      .replace('server switchboard:3004;', 'server 127.0.0.1:3004;')
      .replaceAll('/dev/stdout', '/var/log/nginx/switchboard.access.log')
      .replaceAll('/dev/stderr', '/var/log/nginx/switchboard.error.log');
    expect(back.slice(back.indexOf('upstream '))).toBe(site.slice(site.indexOf('upstream ')));
    expect(template.match(/\$\{[A-Z_]+\}/g)?.every((name) => name === '${' + 'SWITCHBOARD_DOMAIN}')).toBe(true);
  });
});
