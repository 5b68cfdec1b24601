"""Arguments: USER PASSWORD BODY URL... One session of aiohttp; posts BODY to each URL and prints `STATUS BODY`."""

import asyncio
import sys

import aiohttp


async def main():
    user, password, body, *urls = sys.argv[1:]
    digest = aiohttp.DigestAuthMiddleware(user, password)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(middlewares=(digest,), timeout=timeout) as session:
        for url in urls:
            async with session.post(url, data=body.encode()) as answer:
                print(answer.status, (await answer.text()).strip(), flush=True)


asyncio.run(main())
