import { HEADERS } from './answer.ts';
import { componentSchemas } from './component.ts';
import { SHARED } from './errors.ts';
import { buildPaths } from './paths/builds.ts';
import { cataloguePaths } from './paths/catalogue.ts';
import { servicePaths } from './paths/service.ts';
import { statisticsPaths } from './paths/statistics.ts';
import { storePaths } from './paths/store.ts';

const DESCRIPTION = `Firmware images of [OpenWrt](https://openwrt.org) with your own packages.

1. Read what the server offers: \`GET /json/v1/overview.json\`.
2. Optionally see what the server would build, and why: \`POST /api/v1/build/prepare\`.
3. Ask for the image: \`POST /api/v1/build\`. While the answer is 202, ask again with \`GET /api/v1/build/{request_hash}\`.
4. Download from \`/store/{bin_dir}/{name}\` and compare the SHA-256.

**Everywhere**: HEAD works wherever GET works, with the same status and headers. OPTIONS answers any preflight. Other methods get 405 with \`Allow\`.
Every error is \`{"status", "title", "detail"}\`. The server ignores unknown query parameters and fields. Paths may begin with a doubled slash or
end with a slash (relative redirects). A JSON body may have a text content type or none. Limits are those of a server with default settings.`;

/** The OpenAPI 3.1 document of the whole server, as one way of running it (standalone) has it. */
export const openApiDocument = ({ version, license }: { version: string; license: string }) => ({
  openapi: '3.1.0',
  info: {
    title: 'OpenWrt Attended SysUpgrade server',
    summary: 'Ask for firmware, get firmware.',
    description: DESCRIPTION,
    version,
    license: { name: license, identifier: license },
  },
  servers: [{ url: '/', description: 'This server.' }],
  tags: [
    { name: 'build', description: 'Ask for images.' },
    { name: 'images', description: 'Download them.' },
    { name: 'catalogue', description: 'Versions, targets, profiles, packages.' },
    { name: 'statistics', description: 'Requests and builds in figures.' },
    { name: 'operation', description: 'For operators of the server.' },
    { name: 'pages', description: 'For people.' },
  ],
  paths: { ...buildPaths, ...storePaths, ...cataloguePaths, ...statisticsPaths, ...servicePaths },
  components: { schemas: componentSchemas(), responses: SHARED, headers: HEADERS },
});
