package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pq32.elasticsearch.Corpus.Document;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import io.pq32.elasticsearch.node.Response;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * Writes a corpus from several threads and searches it from others, while nodes come and go.
 *
 * <p>A request may fail as long as the node it was sent to is away, unless there is no other, or be
 * refused for now with status 429 or 503; a write is then repeated until it is acknowledged. Any
 * other answer, a wrong hit, or an acknowledged document that a later search does not count, is a
 * failure.
 */
final class Load implements AutoCloseable {
  private static final Set<Integer> FOR_NOW = Set.of(429, 503);

  /** A node starts in half a minute on a busy machine; no write may wait for longer than this. */
  private static final Duration PATIENCE = Duration.ofMinutes(4);

  private static final long RETRY_MILLIS = 100;

  /**
   * How hard to press.
   *
   * @param writers threads that write
   * @param bulk documents of a request
   * @param pause of a thread between two requests
   * @param searchers threads that search
   */
  record Pressure(int writers, int bulk, Duration pause, int searchers) {}

  private final List<ElasticsearchNode> nodes;
  private final String index;
  private final Corpus corpus;
  private final Pressure pressure;
  private final Map<Integer, Document> documents;

  private final AtomicInteger nextBulk = new AtomicInteger();
  private final Queue<Document> written = new ConcurrentLinkedQueue<>();
  private final AtomicInteger writtenCount = new AtomicInteger();
  private final AtomicInteger searches = new AtomicInteger();
  private final AtomicInteger refusals = new AtomicInteger();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Future<Void>> writers = new ArrayList<>();
  private final List<Future<Void>> searchers = new ArrayList<>();
  private volatile boolean writing = true;
  private volatile boolean searching = true;

  /**
   * Begins.
   *
   * @param nodes may each be asked for anything, and be away at times
   */
  Load(List<ElasticsearchNode> nodes, String index, Corpus corpus, Pressure pressure) {
    this.nodes = nodes;
    this.index = index;
    this.corpus = corpus;
    this.pressure = pressure;
    this.documents = Recall.byId(corpus.documents());
    for (int writer = 0; writer < pressure.writers(); writer++) {
      int first = writer;
      writers.add(threads.submit((Callable<Void>) () -> write(first)));
    }
    for (int searcher = 0; searcher < pressure.searchers(); searcher++) {
      int first = searcher;
      searchers.add(threads.submit((Callable<Void>) () -> search(first)));
    }
  }

  private Void write(int first) throws IOException, InterruptedException {
    int size = corpus.documents().size();
    while (writing) {
      int from = nextBulk.getAndIncrement() * pressure.bulk();
      if (from >= size) {
        return null;
      }
      List<Document> left =
          corpus.documents().subList(from, Math.min(from + pressure.bulk(), size));
      long start = System.nanoTime();
      for (int attempt = first; !left.isEmpty(); attempt++) {
        left = send(nodes.get(attempt % nodes.size()), left);
        if (!left.isEmpty()) {
          assertTrue(System.nanoTime() - start < PATIENCE.toNanos(), "no write is accepted");
          Thread.sleep(RETRY_MILLIS);
        }
      }
      Thread.sleep(pressure.pause());
    }
    return null;
  }

  /** The documents that were not acknowledged. */
  private List<Document> send(ElasticsearchNode node, List<Document> bulk) {
    String lines =
        bulk.stream()
            .map(
                document ->
                    "{\"index\": {\"_id\": \"%d\"}}\n%s\n"
                        .formatted(document.id(), document.json()))
            .collect(Collectors.joining());
    Response response = ask(node, "POST", "/_bulk", lines);
    if (response == null) {
      return bulk;
    }
    List<Document> left = new ArrayList<>();
    for (int i = 0; i < bulk.size(); i++) {
      JsonNode item = response.body().path("items").path(i).path("index");
      if (item.path("status").asInt() < 300) {
        written.add(bulk.get(i));
        writtenCount.incrementAndGet();
      } else {
        assertTrue(FOR_NOW.contains(item.path("status").asInt()), item::toString);
        refusals.incrementAndGet();
        left.add(bulk.get(i));
      }
    }
    return left;
  }

  private Void search(int first) throws InterruptedException {
    for (int i = first; searching; i++) {
      ElasticsearchNode node = nodes.get(i % nodes.size());
      float[] query = corpus.queries().get(i % corpus.queries().size());
      int known = writtenCount.get();
      Response refresh = ask(node, "POST", "/_refresh", null);
      Response found =
          ask(
              node,
              "POST",
              "/_search",
              "{\"_source\": false, \"size\": 10, \"knn\": %s}"
                  .formatted(TestIndex.clause(query, "")));
      Response count = ask(node, "GET", "/_count", null);
      if (complete(found)) {
        List<TestIndex.Hit> hits = TestIndex.hits(found.body());
        Recall.assertExact(documents, query, hits);
        if (complete(refresh)) {
          assertTrue(hits.size() >= Math.min(10, known), () -> known + " written: " + found);
        }
        searches.incrementAndGet();
      }
      if (complete(refresh) && complete(count)) {
        assertTrue(count.body().path("count").asInt() >= known, () -> known + " written: " + count);
      }
      Thread.sleep(pressure.pause());
    }
    return null;
  }

  /** Whether there is an answer, and every shard had a part in it. */
  private static boolean complete(Response response) {
    return response != null && response.body().path("_shards").path("failed").asInt() == 0;
  }

  /** The answer to a request below the index's name; null if there is none for now. */
  private Response ask(ElasticsearchNode node, String method, String path, String json) {
    Response response;
    try {
      response = node.request(method, "/" + index + path, json);
    } catch (IOException | IllegalStateException e) {
      if (nodes.size() == 1) {
        throw new AssertionError("the only node does not answer", e);
      }
      return null;
    }
    if (response.ok()) {
      return response;
    }
    assertTrue(FOR_NOW.contains(response.status()), response::toString);
    refusals.incrementAndGet();
    return null;
  }

  /** Waits until so many documents are acknowledged. */
  void awaitWritten(int count) throws Exception {
    while (writtenCount.get() < count) {
      for (Future<Void> writer : writers) {
        if (writer.isDone()) {
          writer.get();
          throw new AssertionError("the whole corpus is written");
        }
      }
      Thread.sleep(10);
    }
  }

  /** Documents acknowledged so far. */
  int writtenCount() {
    return writtenCount.get();
  }

  /** Answers searched for so far that were complete, and right. */
  int searches() {
    return searches.get();
  }

  /** What happened so far. */
  @Override
  public String toString() {
    return "%d documents acknowledged, %d searches answered, %d requests and documents refused"
        .formatted(writtenCount.get(), searches.get(), refusals.get());
  }

  /** Begins no other bulk, then goes on as {@link #finish}. */
  Corpus stop() throws Exception {
    writing = false;
    return finish();
  }

  /** Waits until all writes are acknowledged and ends searching; returns what was written. */
  Corpus finish() throws Exception {
    await(writers);
    searching = false;
    await(searchers);
    return new Corpus(List.copyOf(written), corpus.queries());
  }

  private static void await(List<Future<Void>> all) throws Exception {
    for (Future<Void> one : all) {
      one.get();
    }
  }

  @Override
  public void close() {
    writing = false;
    searching = false;
    threads.shutdownNow();
  }
}
