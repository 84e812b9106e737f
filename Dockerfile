FROM swift:6.3-bookworm AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends libpq-dev pkg-config \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# The dependencies change less often than the sources: they have a layer of their own.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product tollgate \
  && install "$(swift build -c release --show-bin-path)/tollgate" /usr/local/bin/tollgate

FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates libpq5 \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tollgate
COPY --from=build /usr/local/bin/tollgate /usr/local/bin/tollgate
COPY sql /usr/share/tollgate/sql
COPY docs/examples/pricebook.json /usr/share/tollgate/examples/pricebook.json
ENV TOLLGATE_SQL=/usr/share/tollgate/sql
USER tollgate
EXPOSE 8080
# bash speaks TCP, so no HTTP client has to be installed for this.
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["bash", "-c", "\
  exec 3<>/dev/tcp/127.0.0.1/8080 \
  && printf 'GET /health/ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 \
  && read -r _ status _ <&3 && [[ $status == 200 ]]"]
ENTRYPOINT ["tollgate"]
CMD ["serve", "--host", "0.0.0.0"]
