"""The device under the engine, and the cache of compiled programs in the user's cache folder."""

from __future__ import annotations

from descentlab.core.folders import cache_folder


def enable_cache() -> None:
    """Keep compiled programs between processes, unless the user has chosen a cache already.

    The limits are lowered because most of the lab's programs are small and compile in
    less than JAX's default of one second.
    """
    import jax

    if jax.config.values.get("jax_compilation_cache_dir") is not None:
        return
    folder = cache_folder() / "programs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # without a cache everything works, only slower
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def device_name() -> str:
    """Return the default device's kind and number, for provenance."""
    import jax

    devices = jax.devices()
    return f"{devices[0].platform}: {devices[0].device_kind} × {len(devices)}"
