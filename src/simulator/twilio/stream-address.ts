/** Only these hosts may be streamed to without TLS, which the real service never allows. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Why Twilio does not even try this stream URL, or null. */
export function connectFailure(url: string): { readonly code: number; readonly message: string } | null {
  if (!URL.canParse(url)) return { code: 31923, message: 'The stream URL is malformed' };
  const { protocol, hostname, search } = new URL(url);
  if (protocol !== 'wss:' && !(protocol === 'ws:' && isLoopback(hostname))) {
    return { code: 31923, message: 'The stream URL must be wss' };
  }
  // Twilio's <Stream> does not support query strings: values travel as <Parameter>, and such a handshake fails.
  if (search !== '' || url.includes('?')) return { code: 31920, message: 'The stream URL has a query string' };
  return null;
}
