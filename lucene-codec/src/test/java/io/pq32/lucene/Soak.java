package io.pq32.lucene;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.MergePolicy;
import org.apache.lucene.index.TieredMergePolicy;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;

/**
 * Writes, merges, refreshes and searches an index at the same time, checks every answer, and says
 * how much it did. The child of {@link SoakTest}.
 */
final class Soak {
  private static final int SEARCHERS = 2;
  private static final int OPERATIONS_PER_COMMIT = 2000;
  private static final int COMMITS_PER_FORCE_MERGE = 8;

  /** Between two searches, and two looks for changes: who writes needs a processor too. */
  private static final long SEARCH_PAUSE = TimeUnit.MILLISECONDS.toNanos(1);

  private static final long REFRESH_PAUSE = TimeUnit.MILLISECONDS.toNanos(20);

  private final Script script = new Script(11, 64, 6000);
  private final AtomicInteger merges = new AtomicInteger();
  private volatile boolean failed;
  private volatile long end; // as System.nanoTime() counts

  private boolean over() {
    return failed || System.nanoTime() - end > 0;
  }

  /** Small merges get helpers too. */
  private final class Scheduler extends ConcurrentMergeScheduler {
    @Override
    public Executor getIntraMergeExecutor(MergePolicy.OneMerge merge) {
      return intraMergeExecutor;
    }

    @Override
    protected void doMerge(MergeSource source, MergePolicy.OneMerge merge) throws IOException {
      super.doMerge(source, merge);
      merges.incrementAndGet();
    }
  }

  private IndexWriterConfig config(Storage storage) {
    Scheduler scheduler = new Scheduler();
    scheduler.setMaxMergesAndThreads(4, 2);
    TieredMergePolicy mergePolicy = new TieredMergePolicy();
    mergePolicy.setSegmentsPerTier(3);
    return VectorIndex.writerConfig(storage.format())
        .setRAMBufferSizeMB(1)
        .setMergePolicy(mergePolicy)
        .setMergeScheduler(scheduler);
  }

  /** A thread's work, which ends that of the others when it fails. */
  private Callable<Integer> failingAll(Callable<Integer> work) {
    return () -> {
      try {
        return work.call();
      } catch (Throwable t) {
        failed = true;
        throw t;
      }
    };
  }

  private int write(IndexWriter writer) throws IOException {
    int operation = OPERATIONS_PER_COMMIT;
    while (!over()) {
      script.apply(writer, operation++);
      if (operation % OPERATIONS_PER_COMMIT == 0) {
        Script.commit(writer, operation);
        if (operation / OPERATIONS_PER_COMMIT % COMMITS_PER_FORCE_MERGE == 0) {
          writer.forceMerge(1);
        }
      }
    }
    writer.commit();
    return operation;
  }

  private int refresh(SearcherManager searchers) throws IOException {
    int refreshes = 0;
    for (; !over(); refreshes++) {
      searchers.maybeRefreshBlocking();
      LockSupport.parkNanos(REFRESH_PAUSE);
    }
    return refreshes;
  }

  private int search(SearcherManager searchers, Random random) throws IOException {
    double recall = 0;
    int searches = 0;
    for (; !over(); searches++) {
      IndexSearcher searcher = searchers.acquire();
      try {
        recall += script.recall(searcher, script.vector(random.nextInt(Integer.MAX_VALUE)));
      } finally {
        searchers.release(searcher);
      }
      LockSupport.parkNanos(SEARCH_PAUSE);
    }
    Script.assertRecall(recall / searches);
    return searches;
  }

  private void run(Path folder, Storage storage, int seconds) throws Exception {
    try (Directory directory = new MMapDirectory(folder);
        IndexWriter writer = new IndexWriter(directory, config(storage));
        ExecutorService threads = Executors.newCachedThreadPool()) {
      script.apply(writer, 0, OPERATIONS_PER_COMMIT);
      run(writer, threads, storage, seconds);
    }
  }

  private void run(IndexWriter writer, ExecutorService threads, Storage storage, int seconds)
      throws Exception {
    try (SearcherManager searchers = new SearcherManager(writer, null)) {
      end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
      Future<Integer> operations = threads.submit(failingAll(() -> write(writer)));
      Future<Integer> refreshes = threads.submit(failingAll(() -> refresh(searchers)));
      List<Future<Integer>> searches = new ArrayList<>();
      for (int i = 0; i < SEARCHERS; i++) {
        Random random = new Random(i);
        searches.add(threads.submit(failingAll(() -> search(searchers, random))));
      }
      int searched = 0;
      for (Future<Integer> thread : searches) {
        searched += thread.get();
      }
      System.out.printf(
          "%s: %d operations, %d merges, %d refreshes, %d searches%n",
          storage, operations.get(), merges.get(), refreshes.get(), searched);
      searchers.maybeRefreshBlocking();
      IndexSearcher last = searchers.acquire();
      try {
        script.assertHolds(last.getIndexReader(), operations.get());
      } finally {
        searchers.release(last);
      }
    }
  }

  /** Takes folder, storage and seconds. */
  public static void main(String[] args) throws Exception {
    new Soak().run(Path.of(args[0]), Storage.valueOf(args[1]), Integer.parseInt(args[2]));
  }
}
