# Switchboard in a container: docker build -t switchboard . && docker run --env-file .env -v switchboard:/data -p 127.0.0.1:3004:3004 switchboard
# No setting is built in: they come at the start, from --env-file or -e. Put nginx (nginx/switchboard.conf) or a tunnel in front.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsup.config.ts ./
COPY src ./src
RUN npm run build
# What runs needs no tools of ours: only what package.json names under dependencies stays.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production
# Inside the container the listener must be reachable from outside it; -p decides who else reaches it.
ENV HOST=0.0.0.0
ENV PORT=3004
ENV DATA_DIR=/data
WORKDIR /app
# Owned by root, so that the process cannot change its own program.
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY assets ./assets
COPY LICENSE THIRD-PARTY-LICENSES.txt ./
RUN install -d -m 0700 -o node -g node /data
USER node
VOLUME /data
# The public listener. The private one (/metrics, /ready) stays inside unless MCP_HOST and MCP_AUTH_TOKEN are set; publish it on
# 127.0.0.1 only.
EXPOSE 3004
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# docker stop -t 45: live calls say goodbye and are written down first.
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["serve"]
