/** The telephone systems of the office: each is made when it is first asked for. */
import type { Config } from '../config/config.ts';
import type { Finding } from '../doctor/finding.ts';
import type { Systems } from '../mcp/tool.ts';
import type { Asterisk } from '../pbx/asterisk/operations.ts';
import type { ThreeCx } from '../pbx/threecx/operations.ts';
import type { Clock } from '../switchboard/clock.ts';
import type { Logger } from '../switchboard/logger.ts';
import { examineAsterisk, requireAsterisk } from './asterisk.ts';
import { late } from './late.ts';
import { examineThreeCx, requireThreeCx } from './threecx.ts';
import { examineVoipMs, requireVoipMs, smsOf } from './voipms.ts';

export interface Offices {
  readonly systems: Systems;
  /** With what carries calls over them. @throws ConfigError that says what is missing */
  readonly asterisk: () => Asterisk;
  readonly threecx: () => ThreeCx;
  close(): void;
}

/** `config` may answer otherwise until a system is asked for. */
export function openOffices(config: () => Config, clock: Clock, logger: Logger): Offices {
  const asterisk = late(() => requireAsterisk(config(), clock, logger));
  const voipms = late(() => requireVoipMs(config(), clock, logger));
  // 3CX has no way to send a text message; they meet here alone.
  const threecx = late(() => requireThreeCx(config(), clock, logger, smsOf(config(), voipms.get)));
  return {
    systems: { asterisk: asterisk.get, threecx: threecx.get, voipms: voipms.get },
    asterisk: asterisk.get,
    threecx: threecx.get,
    close() {
      for (const system of [threecx, voipms, asterisk]) system.close();
    },
  };
}

/** For `switchboard doctor`. */
export async function examineOffices(config: Config, clock: Clock, logger: Logger): Promise<readonly Finding[]> {
  const each = [examineAsterisk, examineThreeCx, examineVoipMs].map((examine) => examine(config, clock, logger));
  return (await Promise.all(each)).flat();
}
