import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Certificate } from '../fixtures/certificate.ts';
import { freePort } from '../fixtures/free-port.ts';
import { until } from '../fixtures/mcp-pair.ts';

export const SITE = readFileSync(fileURLToPath(new URL('../../nginx/switchboard.conf', import.meta.url)), 'utf8');

/** Where nginx may be; `scripts/test` sees to it that there is one, and names it. Null: the tests that need it are skipped. */
export const NGINX: string | null =
  [
    process.env.NGINX,
    '/usr/sbin/nginx',
    fileURLToPath(new URL('../../node_modules/.cache/nginx/usr/sbin/nginx', import.meta.url)),
  ].find((path) => path !== undefined && path !== '' && existsSync(path)) ?? null;

export interface NginxOptions {
  /** The installation's own folder. */
  readonly folder: string;
  readonly certificate: Certificate;
  /** Where the public listener is. */
  readonly upstreamPort: number;
  /** What a careless hand makes of the site file. */
  readonly spoil?: (site: string) => string;
}

export interface Nginx {
  readonly upstreamPort: number;
  readonly httpsPort: number;
  readonly httpPort: number;
  /** Folder of its logs, the site's two and nginx's own. */
  readonly logs: string;
  readonly webroot: string;
  /** `nginx -s reload`; resolves when a new worker is there. */
  reload(): Promise<void>;
  /** Ids of the worker processes, those that are shutting down included. */
  workers(): readonly number[];
  /** Everything in every log. */
  logText(): string;
  accessLog(): readonly string[];
  close(): Promise<void>;
}

/** The five things that a user changes in the site file, as its first lines say, and the ports, which are not 80 and 443 here. */
function ofThisMachine(site: string, changes: readonly (readonly [what: string, by: string])[]): string {
  let text = site;
  for (const [what, by] of changes) {
    if (!text.includes(what)) throw new Error(`The site file has no "${what}" any more.`);
    text = text.replaceAll(what, by);
  }
  return text;
}

/** Starts nginx as a process of this user, with the site file of the repository. Rejects when nginx refuses it. */
export async function startNginx(options: NginxOptions & { readonly httpsPort: number }): Promise<Nginx> {
  const { folder, certificate, httpsPort } = options;
  const httpPort = await freePort();
  const [logs, webroot, temp] = ['logs', 'webroot', 'temp'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [logs, webroot, temp]) mkdirSync(path, { recursive: true });
  const site = ofThisMachine(SITE, [
    ['    listen [::]:80;\n', ''],
    ['    listen [::]:443 ssl;\n', ''],
    ['listen 80;', `listen 127.0.0.1:${httpPort};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${httpsPort} ssl;`],
    ['/etc/letsencrypt/live/calls.example.com/fullchain.pem', certificate.file],
    ['/etc/letsencrypt/live/calls.example.com/privkey.pem', certificate.keyFile],
    ['server_name calls.example.com;', 'server_name 127.0.0.1;'],
    ['server 127.0.0.1:3004;', `server 127.0.0.1:${options.upstreamPort};`],
    ['/var/log/nginx/', `${logs}/`],
    ['/var/www/html', webroot],
  ]);
  writeFileSync(join(folder, 'switchboard.conf'), options.spoil?.(site) ?? site);
  writeFileSync(join(folder, 'nginx.conf'), mainFile(folder, logs, temp));
  const program = NGINX ?? 'nginx';
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(logs, 'error.log')];
  const child = spawn(program, [...args, '-g', 'daemon off;'], { stdio: ['ignore', 'ignore', 'pipe'] });
  await started(child, join(folder, 'nginx.pid'));
  const workers = (): readonly number[] => childrenOf(child.pid ?? 0);
  await until(() => workers().length > 0, 10_000);
  return {
    upstreamPort: options.upstreamPort,
    httpsPort,
    httpPort,
    logs,
    webroot,
    workers,
    reload: async () => {
      const before = workers();
      execFileSync(program, [...args, '-s', 'reload'], { stdio: 'ignore' });
      await until(() => workers().some((pid) => !before.includes(pid)), 10_000);
    },
    logText: () =>
      readdirSync(logs)
        .map((name) => readFileSync(join(logs, name), 'utf8'))
        .join('\n'),
    accessLog: () =>
      readFileSync(join(logs, 'switchboard.access.log'), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    close: () => ended(child),
  };
}

/** What Debian's own nginx.conf does for a site, apart from the folders; the logs at their most talkative. */
function mainFile(folder: string, logs: string, temp: string): string {
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${temp}/${name};`,
  );
  return `${user}worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${logs}/error.log info;
events { worker_connections 256; }
http {
${paths.join('\n')}
  access_log ${logs}/access.log;
  gzip on;
  include ${folder}/switchboard.conf;
}
`;
}

function started(child: ChildProcess, pidFile: string): Promise<void> {
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints += chunk.toString('utf8');
  });
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`nginx ended with ${code}: ${complaints}`)));
  });
  failed.catch(() => undefined);
  return Promise.race([until(() => existsSync(pidFile), 10_000), failed]);
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    // Fast shutdown, streams included (nginx docs, "Controlling nginx").
    child.kill('SIGTERM');
  });
}

/** Linux only, as Debian's nginx is. */
function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((id) => id !== '')
    .map(Number);
}
