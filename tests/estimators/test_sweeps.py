"""Sweeps over options by scikit-learn, on joblib's processes and on a Dask cluster that loses a worker."""

import os
import signal
import threading
import time
import warnings

import numpy as np
import pytest

from npvae import VAE

X = (np.random.default_rng(0).random((120, 9)) < 0.4).astype(np.float32)
GRID = {"latent_dim": [1, 2], "learning_rate": [0.001, 0.01]}


def searched(n_jobs):
    """The mean scores of a grid search over a small VAE."""
    selection = pytest.importorskip("sklearn.model_selection")
    vae = VAE(hidden=8, epochs=2, random_state=0)
    return selection.GridSearchCV(vae, GRID, cv=2, n_jobs=n_jobs).fit(X).cv_results_["mean_test_score"]


def test_a_grid_search_by_processes_gives_the_scores_of_one_process():
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config("loky"):
        several = searched(2)
    np.testing.assert_array_equal(several, searched(1))


@pytest.fixture
def cluster():
    """Three worker processes of Dask on this machine."""
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install '.[scale]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dask's own, of ports and clocks
        with (
            distributed.LocalCluster(
                n_workers=3, threads_per_worker=1, dashboard_address=None, memory_limit=None
            ) as started,
            distributed.Client(started) as client,
        ):
            yield client


def test_a_grid_search_on_a_dask_cluster_survives_the_loss_of_a_worker(cluster):
    joblib = pytest.importorskip("joblib")
    pids = list(cluster.run(os.getpid).values())
    assert len(set(pids)) == 3

    def kill_one_at_work():
        while not any(cluster.processing().values()):
            time.sleep(0.01)
        os.kill(pids[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    with joblib.parallel_config("dask", scatter=[X]):  # a copy for every worker: what one alone has is lost with it
        several = searched(-1)
    killer.join(timeout=30)
    assert not killer.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    np.testing.assert_array_equal(several, searched(1))
