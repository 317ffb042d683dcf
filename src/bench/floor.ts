/** The least that could carry a call: a bare relay on `ws` that splices payloads. What it costs is the floor of the bench. */
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { serveParent } from './hired.ts';
import { usageMeter } from './usage.ts';

const PAYLOAD = '"payload":"';
const DELTA = '"delta":"';

function relay(phone: WebSocket, modelUrl: string): void {
  const model = new WebSocket(modelUrl, { perMessageDeflate: false });
  let streamSid = '';
  const between = (text: string, key: string): string => {
    const from = text.indexOf(key) + key.length;
    return text.slice(from, text.indexOf('"', from));
  };
  phone.on('message', (data) => {
    const text = data.toString();
    if (text.startsWith('{"event":"media"')) {
      if (model.readyState !== WebSocket.OPEN) return;
      model.send(`{"type":"input_audio_buffer.append","audio":"${between(text, PAYLOAD)}"}`);
    } else if (text.startsWith('{"event":"start"')) streamSid = JSON.parse(text).start.streamSid;
  });
  model.on('message', (data) => {
    const text = data.toString();
    if (text.startsWith('{"type":"response.output_audio.delta"')) {
      phone.send(`{"event":"media","streamSid":"${streamSid}","media":{"payload":"${between(text, DELTA)}"}}`);
    } else if (JSON.parse(text).type === 'input_audio_buffer.speech_started') {
      phone.send(`{"event":"clear","streamSid":"${streamSid}"}`);
    }
  });
  phone.on('close', () => model.terminate());
  model.on('close', () => phone.terminate());
  model.on('error', () => phone.terminate());
}

export async function serveFloor(): Promise<void> {
  const servers: WebSocketServer[] = [];
  await serveParent<FloorDuties>({
    open: async ({ modelUrl }) => {
      const opened = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
      servers.push(opened);
      opened.on('connection', (phone) => relay(phone, modelUrl));
      await new Promise((resolve) => opened.once('listening', resolve));
      return { port: (opened.address() as AddressInfo).port };
    },
    usage: usageMeter(),
  });
  for (const server of servers) server.close();
}

export interface FloorDuties {
  open(order: { readonly modelUrl: string }): Promise<{ readonly port: number }>;
  usage: ReturnType<typeof usageMeter>;
}
