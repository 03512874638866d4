# syntax=docker/dockerfile:1
FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
ARG LONGSHORE_COMMIT=unknown
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target cargo xtask dist

FROM debian:12-slim
RUN useradd --uid 10001 --create-home --home-dir /data longshore
COPY --from=build /build/dist/longshore /usr/local/bin/longshore
COPY examples /usr/local/share/longshore/examples
USER longshore
WORKDIR /data
VOLUME /data
EXPOSE 8083 9092
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["longshore", "health"]
ENTRYPOINT ["longshore"]
CMD ["worker"]
