/** The account itself: its money and its sub-accounts. Fields are copied by name: the answers hold passwords as well. */
import { ProtocolError } from '../../errors.ts';
import type { VoipMsClient } from './client.ts';
import type { Balance, SubAccount } from './operations.ts';
import { flagOf, known, rowsOf, textOf } from './values.ts';

export async function readBalance(client: VoipMsClient): Promise<Balance> {
  const [balance] = rowsOf(await client.call('getBalance', { advanced: '1' }, { changes: false }), 'balance');
  const current = known(balance?.current_balance);
  if (balance === undefined || current === null) throw new ProtocolError('VoIP.ms answered without a balance.');
  return {
    current,
    spentTotal: known(balance.spent_total),
    spentToday: known(balance.spent_today),
    callsTotal: known(balance.calls_total),
    callsToday: known(balance.calls_today),
    timeTotal: known(balance.time_total),
    timeToday: known(balance.time_today),
  };
}

export async function readSubAccounts(client: VoipMsClient): Promise<readonly SubAccount[]> {
  const rows = rowsOf(await client.call('getSubAccounts', {}, { changes: false }), 'accounts');
  return rows.map((row) => ({
    id: textOf(row.id),
    account: textOf(row.account),
    description: known(row.description),
    protocol: known(row.protocol),
    deviceType: known(row.device_type),
    callerIdNumber: known(row.callerid_number),
    internalExtension: known(row.internal_extension),
    recordsCalls: flagOf(row.record_calls),
    transcribes: flagOf(row.transcribe),
  }));
}
