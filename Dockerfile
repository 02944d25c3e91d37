# The broker alone; the database is another container (docker-compose.yml) or any PostgreSQL named by
# BEANROW_DATABASE. There is no PostgreSQL in this image, so the embedded default does not work in it.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src

# The dependencies first: they change rarely, and this layer is kept until they do.
COPY Package.* ./
RUN swift package resolve

# The tests are not run here, but the package does not load without their folders.
COPY Sources Sources
COPY Tests Tests
COPY migrations migrations
RUN swift build -c release --product beanrow --static-swift-stdlib \
    && install -D "$(swift build -c release --static-swift-stdlib --show-bin-path)/beanrow" /out/beanrow \
    && strip --strip-debug /out/beanrow

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq5 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 11300 --user-group --no-create-home --shell /usr/sbin/nologin beanrow
COPY --from=build /out/beanrow /usr/local/bin/beanrow
USER beanrow
EXPOSE 11300 11380

# The container is healthy if the broker answers in the protocol.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/11300 && printf 'stats\\r\\nquit\\r\\n' >&3 && read -r -t 4 reply <&3 && [[ $reply == 'OK '* ]]"]

# It listens on all addresses of the container's network. The protocol has no authentication: publish the port with
# care.
# The page is for the container alone unless --http and a way to know viewers are given (docs/api.md, docker-compose.yml).
# Further options (-z 1000000) come after these, and the last -l counts.
ENTRYPOINT ["beanrow", "serve", "-l", "0.0.0.0"]
