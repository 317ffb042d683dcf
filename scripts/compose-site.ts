/** Writes nginx/compose.conf.template, the site file as nginx's own image takes it, from nginx/switchboard.conf. */
import { readFileSync, writeFileSync } from 'node:fs';
import { composeSite } from './compose-page.ts';

const site = readFileSync(new URL('../nginx/switchboard.conf', import.meta.url), 'utf8');
writeFileSync(new URL('../nginx/compose.conf.template', import.meta.url), composeSite(site));
