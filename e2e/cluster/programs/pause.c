/*
 * Keeps a set of namespaces alive and is their init: the sandbox of a pod, and process 1 of the node.
 * Collects children that nobody waits for; ends on SIGTERM and SIGINT.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

int main(void) {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigprocmask(SIG_BLOCK, &wanted, 0);
    for (;;) {
        int got = sigwaitinfo(&wanted, 0);
        if (got == SIGTERM || got == SIGINT) return 0;
        if (got < 0 && errno != EINTR) return 1;
        while (waitpid(-1, 0, WNOHANG) > 0) continue;
    }
}
