/** Participants, devices and DNs as Call Control has them (3CX's own example client, `types.ts`). Absent is an empty text, or `None` for a type. */
import type { ControlledDn, Device, Participant } from './call-control.ts';
import { numberOf, type Row, rowOf, rowsOf, textOf } from './json.ts';

export function participantOf(value: unknown, dnOfPath: string): Participant | null {
  const row = rowOf(value);
  const id = numberOf(row?.id);
  if (row === null || id === null) return null;
  return {
    id,
    dn: textOf(row.dn) ?? dnOfPath,
    status: textOf(row.status) ?? 'unknown',
    callId: numberOf(row.callid),
    legId: numberOf(row.legid),
    deviceId: textOf(row.device_id),
    partyNumber: textOf(row.party_caller_id),
    partyName: textOf(row.party_caller_name),
    partyDn: textOf(row.party_dn),
    partyDnType: typeOf(row.party_dn_type),
    partyDid: textOf(row.party_did),
    directControl: row.direct_control === true,
  };
}

export function participantsOf(value: unknown, dn: string): readonly Participant[] {
  return rowsOf(value)
    .map((row) => participantOf(row, dn))
    .filter((one) => one !== null);
}

export function devicesOf(value: unknown, dn: string): readonly Device[] {
  return rowsOf(value).flatMap((row) => {
    const deviceId = textOf(row.device_id);
    return deviceId === null ? [] : [{ dn: textOf(row.dn) ?? dn, deviceId, userAgent: textOf(row.user_agent) }];
  });
}

export function controlledDnsOf(value: unknown): readonly ControlledDn[] {
  return rowsOf(value).flatMap((row: Row) => {
    const dn = textOf(row.dn);
    if (dn === null) return [];
    return [
      {
        dn,
        type: textOf(row.type) ?? 'None',
        devices: devicesOf(row.devices, dn),
        participants: participantsOf(row.participants, dn),
      },
    ];
  });
}

function typeOf(value: unknown): string | null {
  const type = textOf(value);
  return type === 'None' ? null : type;
}
