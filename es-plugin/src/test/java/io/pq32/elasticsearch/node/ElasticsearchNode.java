package io.pq32.elasticsearch.node;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * One real Elasticsearch with the plugin in it: a copy of the distribution in a temporary folder,
 * listening on free loopback ports, gone with all its files when closed or when this JVM ends.
 *
 * <p>Works as root too: the node then runs as an unprivileged user. Not for concurrent use, except
 * {@link #request}.
 */
public final class ElasticsearchNode implements AutoCloseable {
  /** A cold start takes 10 to 20 seconds of one core; a busy machine gets ten times that. */
  private static final Duration START_TIMEOUT = Duration.ofMinutes(4);

  private static final Duration STOP_TIMEOUT = Duration.ofMinutes(1);
  private static final long POLL_MILLIS = 100;
  private static final long PROGRESS_SECONDS = 5;
  private static final int LOG_TAIL_LINES = 40;

  private final Path folder;
  private final Path home;
  private final Path console;
  private final NodeUser user;
  private final Consumer<String> progress;
  private final Thread cleanup = new Thread(this::destroy, "elasticsearch-cleanup");

  private Process launcher;
  private RestClient client;

  private ElasticsearchNode(Path folder, NodeUser user, Consumer<String> progress) {
    this.folder = folder;
    this.home = folder.resolve("elasticsearch");
    this.console = folder.resolve("console.log");
    this.user = user;
    this.progress = progress;
  }

  /**
   * Copies the distribution into a new temporary folder and installs the plugin with the
   * distribution's own {@code elasticsearch-plugin}. The node is not started yet.
   *
   * @param distribution unpacked Elasticsearch
   * @param plugin zip of the plugin
   * @param heap of the node, as {@code -Xmx} takes it, for example {@code 1g}
   * @param progress is told in a few words what is going on
   */
  public static ElasticsearchNode install(
      Path distribution, Path plugin, String heap, Consumer<String> progress) throws IOException {
    requireFile("Elasticsearch distribution", distribution.resolve("bin/elasticsearch"));
    requireFile("plugin zip", plugin);
    Path folder = Files.createTempDirectory("pq32-node-").toRealPath();
    ElasticsearchNode node = null;
    try {
      node = new ElasticsearchNode(folder, NodeUser.forFolder(folder), progress);
      Runtime.getRuntime().addShutdownHook(node.cleanup);
      node.prepare(distribution, plugin, heap);
      return node;
    } catch (IOException | RuntimeException e) {
      if (node == null) {
        Folders.delete(folder);
      } else {
        node.close();
      }
      throw e;
    }
  }

  private static void requireFile(String what, Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(what + " not found: " + file + " (is the es-plugin module packaged?)");
    }
  }

  private void prepare(Path distribution, Path plugin, String heap) throws IOException {
    progress.accept("installing Elasticsearch and the plugin in " + folder);
    user.own(folder);
    user.check(java(), folder);
    Folders.copy(distribution, home);
    Path zip =
        Files.copy(plugin, folder.resolve("plugin.zip"), StandardCopyOption.REPLACE_EXISTING);
    for (String name : List.of("data", "snapshots", "tmp")) {
      Files.createDirectories(folder.resolve(name));
    }
    Files.writeString(
        home.resolve("config/elasticsearch.yml"),
        """
        cluster.name: pq32
        node.name: pq32
        discovery.type: single-node
        network.host: 127.0.0.1
        http.port: 0
        transport.port: 0
        node.portsfile: true
        xpack.security.enabled: false
        cluster.routing.allocation.disk.threshold_enabled: false
        path.data: %s
        path.repo: %s
        """
            .formatted(folder.resolve("data"), repository()));
    Files.writeString(
        home.resolve("config/jvm.options.d/heap.options"), "-Xms%1$s%n-Xmx%1$s%n".formatted(heap));
    user.own(folder);
    Process install = run("elasticsearch-plugin", "install", "--batch", zip.toUri().toString());
    if (await(install, STOP_TIMEOUT.multipliedBy(2)) != 0) {
      throw new IOException("installing " + plugin + " failed" + logTail());
    }
  }

  /** Starts the node and waits until it answers and has recovered its indices. */
  public void start() throws IOException {
    if (launcher != null) {
      throw new IllegalStateException("already started");
    }
    Path ports = home.resolve("logs/http.ports");
    Files.deleteIfExists(ports);
    Files.deleteIfExists(pidFile());
    long start = System.nanoTime();
    Process process = run("elasticsearch", "-p", pidFile().toString());
    launcher = process;
    try {
      client = awaitHealth(process, ports, start);
    } catch (IOException | RuntimeException e) {
      destroyProcesses();
      throw e;
    }
    progress.accept("Elasticsearch answers on %s after %d s".formatted(uri(), secondsSince(start)));
  }

  private RestClient awaitHealth(Process process, Path ports, long start) throws IOException {
    long told = 0;
    while (!Files.exists(ports)) {
      told = keepWaiting(process, start, told);
    }
    // One bound address per line, such as 127.0.0.1:41234; the server renames the finished file.
    RestClient found = new RestClient(URI.create("http://" + Files.readString(ports).strip()));
    while (!healthy(found)) {
      told = keepWaiting(process, start, told);
    }
    return found;
  }

  private static boolean healthy(RestClient client) throws IOException {
    try {
      return client.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s", null).ok();
    } catch (ConnectException _) {
      // The server has just died; its exit code says more than a refused connection.
      return false;
    }
  }

  /** Sleeps a moment, unless there is nothing to wait for; returns the second of the last word. */
  private long keepWaiting(Process process, long start, long told) throws IOException {
    if (!process.isAlive()) {
      throw new IOException(
          "Elasticsearch ended with exit code " + process.exitValue() + logTail());
    }
    long seconds = secondsSince(start);
    if (seconds > START_TIMEOUT.toSeconds()) {
      throw new IOException("Elasticsearch is not up after " + seconds + " s" + logTail());
    }
    pause();
    if (seconds < told + PROGRESS_SECONDS) {
      return told;
    }
    progress.accept("Elasticsearch is starting: " + seconds + " s");
    return seconds;
  }

  /** Ends the node in an orderly way. */
  public void stop() throws IOException {
    requireRunning();
    server().destroy();
    closeClient();
    await(launcher, STOP_TIMEOUT);
    launcher = null;
  }

  /** Ends the node as a power failure would: nothing is flushed, nothing is told. */
  public void kill9() throws IOException {
    requireRunning();
    server().destroyForcibly();
    closeClient();
    await(launcher, STOP_TIMEOUT);
    launcher = null;
  }

  /** Stops the node in an orderly way and starts it again, on another port. */
  public void restart() throws IOException {
    stop();
    start();
  }

  /** Sends one request without a body. */
  public Response request(String method, String path) throws IOException {
    return request(method, path, (String) null);
  }

  /** Sends one request with a JSON body. */
  public Response request(String method, String path, JsonNode json) throws IOException {
    return request(method, path, json.toString());
  }

  /** Sends one request with a body of JSON, or of JSON lines for {@code _bulk}. */
  public Response request(String method, String path, String json) throws IOException {
    requireRunning();
    return client.request(method, path, json);
  }

  /** Where the node listens, without a slash at the end. */
  public URI uri() {
    requireRunning();
    return client.node();
  }

  /** Process id of the server. */
  public long pid() throws IOException {
    return server().pid();
  }

  /** Folder of the node's indices. */
  public Path data() {
    return folder.resolve("data");
  }

  /** Folder in which snapshot repositories of type {@code fs} may lie. */
  public Path repository() {
    return folder.resolve("snapshots");
  }

  /** The node's memory map, as Linux shows it to the node's own user. */
  public String memoryMap() throws IOException {
    // Root in a container may not look into other users' processes, so the node's user does.
    Process cat =
        new ProcessBuilder(user.command(List.of("cat", "/proc/" + pid() + "/maps")))
            .redirectErrorStream(true)
            .start();
    String maps = new String(cat.getInputStream().readAllBytes());
    if (await(cat, STOP_TIMEOUT) != 0) {
      throw new IOException(maps);
    }
    return maps;
  }

  /** Ends the node, if it runs, and deletes its folder. */
  @Override
  public void close() {
    destroy();
    try {
      Runtime.getRuntime().removeShutdownHook(cleanup);
    } catch (IllegalStateException _) {
      // The JVM is ending: the hook is what called us, or does so next and finds nothing.
    }
  }

  private synchronized void destroy() {
    destroyProcesses();
    try {
      Folders.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + folder, e);
    }
  }

  private void destroyProcesses() {
    closeClient();
    Process process = launcher;
    if (process != null) {
      // The launcher is the parent of the server and ends with it; the server may not exist yet.
      List<ProcessHandle> all =
          Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
      all.forEach(ProcessHandle::destroyForcibly);
      all.forEach(
          handle ->
              handle.onExit().orTimeout(10, TimeUnit.SECONDS).exceptionally(_ -> handle).join());
      launcher = null;
    }
  }

  private void closeClient() {
    if (client != null) {
      client.close();
      client = null;
    }
  }

  private void requireRunning() {
    if (client == null) {
      throw new IllegalStateException("Elasticsearch is not running");
    }
  }

  private ProcessHandle server() throws IOException {
    long pid = Long.parseLong(Files.readString(pidFile()).strip());
    return ProcessHandle.of(pid)
        .orElseThrow(() -> new IOException("Elasticsearch has died" + logTail()));
  }

  private Path pidFile() {
    return folder.resolve("pid");
  }

  private static Path java() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  /** Starts one of the distribution's commands; what it says goes to the console file. */
  private Process run(String command, String... arguments) throws IOException {
    List<String> line = new ArrayList<>();
    line.add(home.resolve("bin").resolve(command).toString());
    line.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(user.command(line))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(console.toFile());
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("ES_") || name.contains("JAVA"));
    environment.put("ES_JAVA_HOME", System.getProperty("java.home"));
    environment.put("ES_TMPDIR", folder.resolve("tmp").toString());
    environment.put("HOME", folder.toString());
    return builder.start();
  }

  /** The end of what the node has logged, to be appended to the message of a failure. */
  public String logTail() {
    try {
      List<String> lines = Files.readAllLines(console);
      return "; its last words:\n  "
          + String.join(
              "\n  ", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
    } catch (IOException e) {
      return "; its log cannot be read: " + e;
    }
  }

  private static long secondsSince(long nanoTime) {
    return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - nanoTime);
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("waiting for Elasticsearch");
    }
  }

  private int await(Process process, Duration timeout) throws IOException {
    try {
      if (process.waitFor(timeout)) {
        return process.exitValue();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("waiting for Elasticsearch");
    }
    throw new IOException("process does not end in " + timeout.toSeconds() + " s" + logTail());
  }
}
