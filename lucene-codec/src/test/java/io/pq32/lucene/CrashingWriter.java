package io.pq32.lucene;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.MergePolicy;
import org.apache.lucene.index.TieredMergePolicy;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.store.NIOFSDirectory;
import org.apache.lucene.util.IORunnable;

/**
 * Goes on with the script of an index until it is killed, and says on standard output what it is at
 * ({@code begin PHASE}, {@code end PHASE}) and what it has committed ({@code committed
 * OPERATIONS}). The child of {@link CrashTest}.
 */
final class CrashingWriter {
  /** What a writer may be killed in the middle of. */
  enum Phase {
    OPEN,
    FLUSH,
    MERGE,
    COMMIT,
    FORCE_MERGE;

    String begin() {
      return "begin " + name().toLowerCase(Locale.ROOT);
    }

    String end() {
      return "end " + name().toLowerCase(Locale.ROOT);
    }
  }

  static final String COMMITTED = "committed ";

  private static final int OPERATIONS_PER_FLUSH = 150;
  private static final int FLUSHES_PER_COMMIT = 3;
  private static final int COMMITS_PER_FORCE_MERGE = 2;

  private CrashingWriter() {}

  static Script script(long seed) {
    return new Script(seed, 24, 1500);
  }

  static Directory open(Path folder, boolean mapped) throws IOException {
    return mapped ? new MMapDirectory(folder) : new NIOFSDirectory(folder);
  }

  /** Merges soon and in the background. */
  static IndexWriterConfig config(Storage storage, boolean compound) {
    TieredMergePolicy mergePolicy = new TieredMergePolicy();
    mergePolicy.setSegmentsPerTier(2);
    mergePolicy.setNoCFSRatio(compound ? 1 : 0);
    return VectorIndex.writerConfig(storage.format())
        .setUseCompoundFile(compound)
        .setMergePolicy(mergePolicy)
        .setMergeScheduler(new SayingMergeScheduler());
  }

  private static final class SayingMergeScheduler extends ConcurrentMergeScheduler {
    @Override
    protected void doMerge(MergeSource source, MergePolicy.OneMerge merge) throws IOException {
      during(Phase.MERGE, () -> super.doMerge(source, merge));
    }
  }

  private static void during(Phase phase, IORunnable work) throws IOException {
    say(phase.begin());
    work.run();
    say(phase.end());
  }

  private static void say(String line) {
    System.out.println(line);
    if (System.out.checkError()) { // nobody listens any more, so nobody is there to kill it
      System.exit(1);
    }
  }

  /** Takes folder, storage, whether files are mapped and compound, and the seed of the script. */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    Storage storage = Storage.valueOf(args[1]);
    boolean mapped = Boolean.parseBoolean(args[2]);
    boolean compound = Boolean.parseBoolean(args[3]);
    Script script = script(Long.parseLong(args[4]));
    say(Phase.OPEN.begin());
    IndexWriter writer = new IndexWriter(open(folder, mapped), config(storage, compound));
    say(Phase.OPEN.end());
    int operation = Script.operations(writer);
    for (int commits = 1; ; commits++) {
      for (int flush = 0; flush < FLUSHES_PER_COMMIT; flush++) {
        for (int i = 0; i < OPERATIONS_PER_FLUSH; i++) {
          script.apply(writer, operation++);
        }
        during(Phase.FLUSH, writer::flush);
      }
      if (commits % COMMITS_PER_FORCE_MERGE == 0) {
        during(Phase.FORCE_MERGE, () -> writer.forceMerge(1));
      }
      int operations = operation;
      during(Phase.COMMIT, () -> Script.commit(writer, operations));
      say(COMMITTED + operations);
    }
  }
}
