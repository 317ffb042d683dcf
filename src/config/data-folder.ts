import { isAbsolute, posix, win32 } from 'node:path';

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/** Where programs of this platform keep a user's data: XDG base directories, Apple's and Microsoft's own rules. */
export function defaultDataFolder(
  env: Readonly<Record<string, string | undefined>>,
  { platform, home }: Machine,
): string {
  if (platform === 'win32') return win32.join(env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local'), 'Switchboard');
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', 'Switchboard');
  // The XDG specification has relative paths ignored.
  const xdg = env.XDG_DATA_HOME;
  return posix.join(xdg && isAbsolute(xdg) ? xdg : posix.join(home, '.local', 'share'), 'switchboard');
}
