import type { IncomingMessage } from 'node:http';
import { readBody } from '../loopback.ts';
import type { Params } from './reply.ts';

export interface Intake {
  readonly path: string;
  readonly params: Params;
  /** In what the parameters came. */
  readonly form: 'query' | 'multipart' | 'urlencoded';
}

/** Of the request line, as the vendor's web server has it. */
const LONGEST_TARGET = 8_190;
const LARGEST_BODY = 8 * 1024 * 1024;
const CREDENTIALS = ['api_username', 'api_password'];

/** Reads the parameters wherever they are, and tells of what is out of place. */
export async function readRequest(request: IncomingMessage, violate: (sentence: string) => void): Promise<Intake> {
  const target = request.url ?? '/';
  const url = new URL(target, 'http://127.0.0.1');
  const body = await readBody(request, LARGEST_BODY);
  if (body === null) throw new Error('The body is too large');
  const type = request.headers['content-type'] ?? '';
  const query = fieldsOf(url.searchParams, violate);
  if (target.length > LONGEST_TARGET)
    violate(`a request line of ${target.length} characters, which the vendor cuts off`);
  if (request.headers.authorization !== undefined || request.headers.cookie !== undefined)
    violate('credentials in a header, where the vendor does not look for them');
  const form =
    request.method === 'POST' ? (type.startsWith('multipart/form-data') ? 'multipart' : 'urlencoded') : 'query';
  const posted = form === 'multipart' ? fieldsOf(await multipart(body, type), violate) : {};
  if (form === 'multipart' && CREDENTIALS.some((name) => name in query))
    violate('credentials in the query of a POST, which has a body for them');
  if (!['GET', 'POST'].includes(request.method ?? '')) violate(`the method ${request.method}`);
  const params = { ...query, ...posted };
  judge(params, violate);
  return { path: url.pathname, params, form };
}

function judge(params: Params, violate: (sentence: string) => void): void {
  for (const [name, value] of Object.entries(params)) {
    if (value === 'true' || value === 'false') violate(`${name}=${value}: a yes or no is 1 or 0 on the wire`);
    if (value === 'undefined' || value === 'null' || value === 'NaN' || value === '[object Object]')
      violate(`${name}=${value}, which is a mistake of a program`);
  }
  if (params.content_type !== undefined && params.content_type !== 'json')
    violate(`content_type=${params.content_type}: only json is spoken here`);
}

function fieldsOf(entries: Iterable<readonly [string, string | Blob]>, violate: (sentence: string) => void): Params {
  const fields: Record<string, string> = {};
  for (const [name, value] of entries) {
    if (Object.hasOwn(fields, name)) violate(`${name} was given twice`);
    fields[name] = typeof value === 'string' ? value : '';
  }
  return fields;
}

/** Node's own reader of forms. */
async function multipart(body: Buffer, type: string): Promise<FormData> {
  return await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
}
