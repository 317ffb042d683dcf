/** The one-click badges of the README: each holds the whole entry for its client, and no secret. */

const ENTRY = { command: 'npx', args: ['-y', 'switchboard-mcp'] };

export function badges(): string {
  const cursor = Buffer.from(JSON.stringify(ENTRY)).toString('base64');
  const code = encodeURIComponent(JSON.stringify({ type: 'stdio', ...ENTRY }));
  return [
    badge(
      'Add to Cursor',
      'https://cursor.com/deeplink/mcp-install-dark.svg',
      `https://cursor.com/en/install-mcp?name=switchboard&config=${encodeURIComponent(cursor)}`,
    ),
    badge(
      'Install in VS Code',
      'https://img.shields.io/badge/VS_Code-Install-0098FF',
      `https://insiders.vscode.dev/redirect/mcp/install?name=switchboard&config=${code}`,
    ),
    badge(
      'Install in VS Code Insiders',
      'https://img.shields.io/badge/VS_Code_Insiders-Install-24bfa5',
      `https://insiders.vscode.dev/redirect/mcp/install?name=switchboard&config=${code}&quality=insiders`,
    ),
  ].join('\n');
}

function badge(title: string, image: string, link: string): string {
  return `[![${title}](${image})](${link})`;
}
