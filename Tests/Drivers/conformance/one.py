"""One driver through one sidecar: prints a line of JSON for each feature.

    one.py --driver MODULE --address HOST:PORT --keyspace NAME [--compression lz4] [--authority FILE] [--user U --password P]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging

from features import FEATURES, Unsupported


def say(feature: str, result: str, reason: str = "") -> None:
    print(json.dumps({"feature": feature, "result": result, "reason": reason}), flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("driver", "address", "keyspace", "compression", "authority", "certificate", "key", "user", "password"):
        parser.add_argument(f"--{name}")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    try:
        driver = importlib.import_module(options.driver).Driver(options)
        await driver.connect()
    except Unsupported as unsupported:
        say("connect", "none", str(unsupported))
        return
    except Exception as error:
        say("connect", "failed", f"{type(error).__name__}: {error}")
        return
    say("connect", "ok")
    for name, feature in FEATURES.items():
        try:
            await feature(driver, options.keyspace)
            say(name, "ok")
        except Unsupported as unsupported:
            say(name, "none", str(unsupported))
        except Exception as error:
            say(name, "failed", f"{type(error).__name__}: {error}")
    await driver.close()


asyncio.run(main())
