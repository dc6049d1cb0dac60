/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shape of a scenario: statements of words, one a line, or with settings in braces. What the
 * words mean is decided statement by statement, in scenario_parse.c and beside it. */
%code requires {
#include "tools/scenario/scenario_build.h"
}
%code provides {
int scenario_lex_lex(SCENARIO_YYSTYPE *value, SCENARIO_YYLTYPE *at, void *scanner);
}
%code {
#include <errno.h>

#define scenario_yylex scenario_lex_lex
#define YYLLOC_DEFAULT(cur, rhs, n) ((cur) = (n) ? YYRHSLOC(rhs, 1) : YYRHSLOC(rhs, 0))

static void scenario_yyerror(struct policy_at *at, struct scenario_build *build, void *scanner,
                             const char *message)
{
    (void)at, (void)scanner, (void)message; /* comes only when the parser's stack cannot grow */
    build->faults.error = -ENOMEM;
}
}
%define api.prefix {scenario_yy}
%define api.pure full
%define api.location.type {struct policy_at}
%define api.value.type {struct policy_word}
%define parse.error custom
%locations
%parse-param {struct scenario_build *build} {void *scanner}
%lex-param {void *scanner}
%initial-action { @$ = (struct policy_at){1, 1}; }

%token YYEOF 0 "the end of the text"
%token NEWLINE "the end of the line"
%token FAULTY "a fault"
%token OPEN "{" CLOSE "}" WORD "a word" STRING "a quoted text"

%%
text: lines
    | lines words open inner        { scenario_build_unclosed(build, $3.at); }
    ;

lines: %empty
    | lines line
    ;

line: NEWLINE
    | words NEWLINE                 { scenario_build_statement(build); }
    | words open inner CLOSE NEWLINE { scenario_build_statement(build); }
    | words open inner CLOSE error NEWLINE { scenario_build_statement(build); yyerrok; }
    | words error NEWLINE           { scenario_build_broken(build); yyerrok; }
    | error NEWLINE                 { yyerrok; }
    ;

words: word
    | words word
    ;

word: WORD                          { scenario_build_word(build, $1, false); }
    | STRING                        { scenario_build_word(build, $1, true); }
    ;

open: OPEN                          { scenario_build_open(build, $1.at); $$ = $1; }
    ;

inner: %empty
    | inner word
    | inner NEWLINE                 { scenario_build_line(build); }
    | inner error NEWLINE           { scenario_build_drop(build); yyerrok; }
    ;
%%

static int yyreport_syntax_error(const yypcontext_t *context, struct scenario_build *build,
                                 void *scanner)
{
    (void)scanner;
    switch (yypcontext_token(context)) {
    case YYSYMBOL_FAULTY: /* the lexer has reported it */
        break;
    case YYSYMBOL_OPEN:
        policy_fault(&build->faults, *yypcontext_location(context),
                     "a brace does not belong here; allowed: after a statement that takes settings, "
                     "once");
        break;
    case YYSYMBOL_CLOSE:
        policy_fault(&build->faults, *yypcontext_location(context),
                     "a closing brace without its opening one, or in the middle of a line; allowed: "
                     "after `{`");
        break;
    default:
        policy_fault(&build->faults, *yypcontext_location(context),
                     "this does not belong behind a closing brace; allowed: the end of the line");
    }
    return 0;
}
