/** The people, numbers and telephones of the simulated office. All invented. */

export interface SimulatedExtension {
  readonly number: string;
  readonly firstName: string;
  readonly lastName: string;
  /** `controllable`: 3CX can make it answer (uaCSTA). */
  readonly telephone: 'controllable' | 'plain' | 'none';
  /** Signed in with an app besides, which the list of its devices begins with. */
  readonly hasApp?: boolean;
  /** Whether the app's API client lists it, and so may see and control its calls. */
  readonly isListed: boolean;
  readonly mobile?: string;
  readonly profile?: string;
  readonly queueStatus?: 'LoggedIn' | 'LoggedOut';
}

/** One telephone or number that a call can be at. */
export interface Station {
  readonly dn: string;
  readonly dnType: string;
  /** What the other side sees: the extension, or the number outside. */
  readonly number: string;
  readonly name: string;
  readonly deviceId: string;
  readonly directControl: boolean;
  /** Somebody or something can take a call there. */
  readonly isReachable: boolean;
}

export interface Device {
  readonly dn: string;
  readonly device_id: string;
  readonly user_agent: string;
}

export const DEFAULT_OFFICE: readonly SimulatedExtension[] = [
  { number: '100', firstName: 'Ada', lastName: 'Moreno', telephone: 'controllable', isListed: true },
  { number: '101', firstName: 'Ben', lastName: 'Okafor', telephone: 'plain', isListed: true, queueStatus: 'LoggedIn' },
  { number: '102', firstName: 'Carla', lastName: 'Jensen', telephone: 'none', isListed: true, profile: 'Away' },
  { number: '103', firstName: 'David', lastName: "O'Brien", telephone: 'plain', isListed: false },
  {
    number: '104',
    firstName: 'Elif',
    lastName: 'Kaya',
    telephone: 'plain',
    isListed: true,
    mobile: '+14155550144',
    profile: 'Out of office',
  },
];

export interface Peer {
  readonly number: string;
  readonly name: string;
  /** As the configuration API names it. */
  readonly type: string;
  /** As Call Control names it. */
  readonly dnType: string;
}

/** How parking places are numbered is a guess. */
const OTHER_PEERS: readonly Peer[] = [
  { number: '800', name: 'Front desk', type: 'Queue', dnType: 'Wqueue' },
  { number: '801', name: 'Kitchen', type: 'RingGroup', dnType: 'Wringgroup' },
  { number: '802', name: 'Main menu', type: 'IVR', dnType: 'Wivr' },
  { number: 'SP1', name: 'Parking place 1', type: 'Parking', dnType: 'Wspecialmenu' },
  { number: 'SP2', name: 'Parking place 2', type: 'Parking', dnType: 'Wspecialmenu' },
  { number: '10000', name: 'Outside line', type: 'ExternalLine', dnType: 'Wexternalline' },
];
const OUTSIDE_LINE = '10000';
const OUTSIDE_NUMBER = /^(\+[1-9]\d{6,14}|\d{7,15})$/;
const FIRST_DEVICE_PORT = 5_483;
const FIRST_APP_PORT = 6_483;

export class Office {
  readonly extensions: readonly SimulatedExtension[];
  readonly routePoint: string;
  readonly peers: readonly Peer[];

  constructor(extensions: readonly SimulatedExtension[], routePoint: string) {
    this.extensions = extensions;
    this.routePoint = routePoint;
    this.peers = [
      ...extensions.map(({ number, firstName, lastName }) => ({
        number,
        name: `${firstName} ${lastName}`,
        type: 'Extension',
        dnType: 'Wextension',
      })),
      ...OTHER_PEERS,
      { number: routePoint, name: 'Switchboard', type: 'RoutePoint', dnType: 'Wroutepoint' },
    ];
  }

  isListed(dn: string): boolean {
    return dn === this.routePoint || this.extensions.some((one) => one.number === dn && one.isListed);
  }

  /** What the app may see. */
  get listed(): readonly Peer[] {
    return this.peers.filter((one) => this.isListed(one.number));
  }

  peer(number: string): Peer | null {
    return this.peers.find((one) => one.number === number) ?? null;
  }

  devices(dn: string): readonly Device[] {
    const index = this.extensions.findIndex((one) => one.number === dn);
    const { telephone = 'none', hasApp = false } = this.extensions[index] ?? {};
    const device = (port: number, user_agent: string): Device => ({
      dn,
      device_id: `sip:${dn}@127.0.0.1:${port + index}`,
      user_agent,
    });
    const isControllable = telephone === 'controllable';
    return [
      ...(hasApp ? [device(FIRST_APP_PORT, 'Example App 3.0')] : []),
      ...(telephone === 'none'
        ? []
        : [device(FIRST_DEVICE_PORT, isControllable ? 'Example Desk Phone 5 (uaCSTA)' : 'Example Softphone 2.1')]),
    ];
  }

  /** Null: 3CX has no route to it. `name` and `number` are of somebody outside. */
  station(number: string, name = ''): Station | null {
    const peer = this.peer(number);
    if (peer?.type === 'ExternalLine') return null;
    if (peer === null)
      return OUTSIDE_NUMBER.test(number)
        ? {
            dn: OUTSIDE_LINE,
            dnType: 'Wexternalline',
            number,
            name,
            deviceId: '',
            directControl: false,
            isReachable: true,
          }
        : null;
    const extension = this.extensions.find((one) => one.number === number);
    return {
      dn: number,
      dnType: peer.dnType,
      number,
      name: peer.name,
      deviceId: this.devices(number).at(-1)?.device_id ?? '',
      directControl: extension?.telephone === 'controllable',
      isReachable: extension === undefined || extension.telephone !== 'none',
    };
  }
}
