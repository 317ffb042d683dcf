const HEADER = `# Generated from nginx/switchboard.conf by scripts/compose-site.ts (\`npm run docs\`) for compose.yaml. Do not edit.
# The image of nginx puts the name of SWITCHBOARD_DOMAIN in when it starts.
`;

/** The site file with the name as a variable, and Switchboard where Compose puts it. */
export function composeSite(site: string): string {
  const rules = site.slice(site.indexOf('upstream '));
  return (
    HEADER +
    rules
      .replaceAll('calls.example.com', '${' + 'SWITCHBOARD_DOMAIN}')
      .replace('server 127.0.0.1:3004;', 'server switchboard:3004;')
      // Where `docker compose logs` finds them.
      .replaceAll('/var/log/nginx/switchboard.access.log', '/dev/stdout')
      .replaceAll('/var/log/nginx/switchboard.error.log ', '/dev/stderr ')
  );
}
