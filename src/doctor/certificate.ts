import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import { type Finding, fail, ok, skipped, warn } from './finding.ts';

const DAY_MS = 86_400_000;
/** certbot renews a month before the end; who has a fortnight left has no renewal that works. */
const SOON_DAYS = 14;
const CHECK = 'certificate';
const CHAIN = 'Let the proxy in front send the whole chain (with nginx and certbot: ssl_certificate …/fullchain.pem).';

interface Shown {
  readonly certificate: PeerCertificate;
  /** Node's code for what it does not like about it, the name left out. */
  readonly objection: string | null;
}

/** The certificate at the public URL, judged as Twilio will judge it: an authority that everybody trusts, the right name, in force. */
export async function checkCertificate(publicUrl: string, timeoutMs: number, nowMs: number): Promise<Finding> {
  const url = new URL(publicUrl);
  if (url.protocol !== 'https:') return skipped(CHECK, 'PUBLIC_URL is http on this machine, which needs none.');
  const shown = await certificateAt(url, timeoutMs);
  if (shown === null) return skipped(CHECK, 'There was no TLS connection to see one on; see public URL.');
  const { certificate, objection } = shown;
  const endsMs = Date.parse(certificate.valid_to);
  const days = Math.floor((endsMs - nowMs) / DAY_MS);
  if (endsMs <= nowMs) return fail(CHECK, `It ended on ${dayText(endsMs)}.`, RENEW);
  if (Date.parse(certificate.valid_from) > nowMs)
    return fail(CHECK, `It is valid from ${certificate.valid_from} on only.`, 'Check the clock of this machine.');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (checkServerIdentity(host, certificate) !== undefined)
    return fail(
      CHECK,
      `It is not for the name ${host}.`,
      `Get one for ${host}, or set PUBLIC_URL to the name that it is for.`,
    );
  if (objection !== null) return fail(CHECK, ...objectionText(objection));
  if (days < SOON_DAYS) return warn(CHECK, `It ends in ${days} days, on ${dayText(endsMs)}.`, RENEW);
  return ok(CHECK, `It is trusted, for ${host}, and valid for ${days} more days.`);
}

const RENEW = 'Renew it (certbot renew), and see why that does not happen by itself (systemctl status certbot.timer).';

function objectionText(code: string): readonly [message: string, advice: string] {
  if (code === 'DEPTH_ZERO_SELF_SIGNED_CERT')
    return [
      'It is self-signed, and Twilio trusts public authorities only.',
      'Get one from such as Let’s Encrypt (certbot).',
    ];
  if (code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' || code === 'UNABLE_TO_GET_ISSUER_CERT')
    return ['It comes without the certificates between it and its authority.', CHAIN];
  return [`It is not trusted (${code}).`, `Get one from a public authority such as Let’s Encrypt. ${CHAIN}`];
}

function dayText(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : 'an unknown day';
}

/** Null when there is no TLS connection. Nothing is sent over it, so who is at the other end need not be trusted yet. */
function certificateAt(url: URL, timeoutMs: number): Promise<Shown | null> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const options: ConnectionOptions = {
    host,
    port: url.port === '' ? 443 : Number(url.port),
    rejectUnauthorized: false,
    timeout: timeoutMs,
    // The name is judged apart, so that a wrong one does not hide behind another fault.
    checkServerIdentity: () => undefined,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
  return new Promise((resolve) => {
    const socket = connect(options, () => {
      const certificate = socket.getPeerCertificate();
      const { authorized, authorizationError } = socket;
      // The typings say Error; Node gives the code as a text.
      resolve({ certificate, objection: authorized ? null : String(authorizationError) });
      socket.destroy();
    });
    const give = (): void => {
      resolve(null);
      socket.destroy();
    };
    socket.on('error', give);
    socket.on('timeout', give);
  });
}
