# syntax=docker/dockerfile:1

FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The build has a step of its own below: its sources are not here yet.
RUN npm ci --ignore-scripts
COPY tsconfig.base.json tsconfig.server.json ./
COPY src ./src
COPY web ./web
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:20-slim
LABEL org.opencontainers.image.title="Frametap" \
      org.opencontainers.image.description="Intercepting WebSocket proxy and inspector" \
      org.opencontainers.image.licenses="MIT"
# Inside the container it has to listen beyond loopback. Who may reach it is up to the one who publishes the ports:
# give FRAMETAP_PROXY_AUTH, or FRAMETAP_ALLOW_OPEN_PROXY=1 where they are published on 127.0.0.1 alone.
ENV NODE_ENV=production \
    FRAMETAP_HOST=0.0.0.0 \
    FRAMETAP_PORT=8080 \
    FRAMETAP_UI_HOST=0.0.0.0 \
    FRAMETAP_UI_PORT=8081 \
    FRAMETAP_CERTS=/certs
RUN install -d -m 0700 -o node -g node /certs
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
VOLUME ["/certs"]
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.FRAMETAP_UI_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/server/cli.js"]
