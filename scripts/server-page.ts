import { readFileSync } from 'node:fs';
import { SETTINGS } from '../src/config/schema.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly mcpName: string;
}

const MUST_HAVE: ReadonlySet<string> = new Set([
  'PUBLIC_URL',
  'TWILIO_ACCOUNT_SID',
  'TWILIO_AUTH_TOKEN',
  'TWILIO_NUMBER',
  'OPENAI_API_KEY',
]);

/** The text of `server.json` (registry schema of 2025-12-11): the package over stdio, and as a server of its own over HTTP. */
export function serverJson(): string {
  const { name, version, mcpName }: Manifest = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  const npm = { registryType: 'npm', identifier: name, version, runtimeHint: 'npx' };
  const environmentVariables = Object.values(SETTINGS).map(variable);
  const server = {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: mcpName,
    title: 'Switchboard',
    description: 'Places real telephone calls: an AI voice agent holds them, you get the transcript.',
    version,
    packages: [
      { ...npm, transport: { type: 'stdio' }, environmentVariables },
      {
        ...npm,
        packageArguments: [{ type: 'positional', value: 'serve' }],
        transport: {
          type: 'streamable-http',
          url: 'http://127.0.0.1:8787/mcp',
          headers: [
            {
              name: 'Authorization',
              description: 'Bearer and a token of the server, where it asks for one.',
              isSecret: true,
              isRequired: false,
            },
          ],
        },
        environmentVariables,
      },
    ],
  };
  return `${JSON.stringify(server, null, 2)}\n`;
}

function variable({ name, about, secret, fallback }: (typeof SETTINGS)[keyof typeof SETTINGS]): object {
  const isEmpty = fallback === null || (Array.isArray(fallback) && fallback.length === 0);
  return {
    name,
    description: about,
    // It starts without: the tools say what is missing.
    isRequired: false,
    isSecret: secret,
    ...(MUST_HAVE.has(name) ? { placeholder: 'needed for real calls' } : {}),
    ...(isEmpty ? {} : { default: String(fallback), format: formatOf(fallback) }),
  };
}

function formatOf(fallback: unknown): string {
  return typeof fallback === 'boolean' || typeof fallback === 'number' ? typeof fallback : 'string';
}
