RECMERGE.take("regression",
{
"suite":"regression",
"title":"A small suite that guards the committed boards",
"label":"smoke",
"about":"Smoke board: small fixed budgets that show that everything runs. It carries no verdicts, and its numbers say nothing about methods.",
"command":"recmerge-bench run --suite regression",
"metrics":[
"NDCG@10",
"HR@10",
"MRR"
],
"tables":[
{
"track":"merging",
"protocol":"loo",
"domains":[
"action",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, romance"],
["merging reads","T0: weights"],
["rows tuned on","none (7 rows)"],
["source of the shared base","drama"],
["split","leave-one-out per domain, full ranking (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 840, romance 926"],
["seeds","0"]
],
"reference":"fine-tune",
"compared":[],
"across":null,
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0922","0.0856","0.0856","36.0 %","2.3 %"],["\u2013","item-knn","0.1792","0.1792","0.1792","3.0 %","0.0 %"],["sasrec","fine-tune","0.1463","0.1463","0.1463","0.0 %","0.0 %"],["bert4rec","joint","0.1158","0.1158","0.1158","0.0 %","0.0 %"],["sasrec","weight-averaging","0.1439","0.1439","0.1439","0.0 %","0.0 %"],["sasrec","task-arithmetic (scale=0.4)","0.1440","0.1440","0.1440","0.0 %","0.0 %"],["sasrec","ties (density=0.2)","0.1448","0.1448","0.1448","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. How many targets equal times decided is not in these records."},
{"title":"Training","answer":"","headers":["backbone","method","objective","tuned (row)"],"rows":[["\u2013","popularity","\u2013","none"],["\u2013","item-knn","\u2013","none"],["sasrec","fine-tune","ce","none"],["bert4rec","joint","\u2013","none"],["sasrec","weight-averaging","ce","none"],["sasrec","task-arithmetic (scale=0.4)","ce","none"],["sasrec","ties (density=0.2)","ce","none"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each (in brackets those after which the chosen weights stood), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration e2b64e693d9d","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.0926183,null,[0.0926183]],"romance":[0.0786699,null,[0.0786699]],"mean":[0.0856441,null,[0.0856441]]},"HR@10":{"action":[0.186905,null,[0.186905]],"romance":[0.151188,null,[0.151188]],"mean":[0.169046,null,[0.169046]]},"MRR":{"action":[0.0847158,null,[0.0847158]],"romance":[0.0809052,null,[0.0809052]],"mean":[0.0828105,null,[0.0828105]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.03,"merge":0,"other":0.43,"peak":304},"gaps":[]},
{"id":"39f78b","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 237935451d11","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.176712,null,[0.176712]],"romance":[0.181639,null,[0.181639]],"mean":[0.179175,null,[0.179175]]},"HR@10":{"action":[0.297619,null,[0.297619]],"romance":[0.313175,null,[0.313175]],"mean":[0.305397,null,[0.305397]]},"MRR":{"action":[0.158958,null,[0.158958]],"romance":[0.16029,null,[0.16029]],"mean":[0.159624,null,[0.159624]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.09,"merge":0,"other":0.49,"peak":306},"gaps":[]},
{"id":"ac4fa8","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","made":"no options; tuned: none; configuration 729ada9ee0c8","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.151259,null,[0.151259]],"romance":[0.141285,null,[0.141285]],"mean":[0.146272,null,[0.146272]]},"HR@10":{"action":[0.285714,null,[0.285714]],"romance":[0.284017,null,[0.284017]],"mean":[0.284866,null,[0.284866]]},"MRR":{"action":[0.131516,null,[0.131516]],"romance":[0.121043,null,[0.121043]],"mean":[0.12628,null,[0.12628]]}},"shares":{"NDCG@10":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1},"HR@10":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1},"MRR":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":1.94,"merge":0,"other":0.51,"peak":315},"gaps":[]},
{"id":"c4d691","backbone":"bert4rec","method":"joint","label":"joint","page":"joint","recipe":"fixed","made":"no options; tuned: none; configuration f33cfc94f53f","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.121958,null,[0.121958]],"romance":[0.109569,null,[0.109569]],"mean":[0.115764,null,[0.115764]]},"HR@10":{"action":[0.25119,null,[0.25119]],"romance":[0.218143,null,[0.218143]],"mean":[0.234667,null,[0.234667]]},"MRR":{"action":[0.102284,null,[0.102284]],"romance":[0.0977723,null,[0.0977723]],"mean":[0.100028,null,[0.100028]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":2.16,"merge":0,"other":0.58,"peak":352},"gaps":[]},
{"id":"b191a2","backbone":"sasrec","method":"weight-averaging","label":"weight-averaging","page":"weight-averaging","recipe":"fixed","made":"no options; tuned: none; configuration 6384497ce926","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.148287,null,[0.148287]],"romance":[0.13945,null,[0.13945]],"mean":[0.143869,null,[0.143869]]},"HR@10":{"action":[0.282143,null,[0.282143]],"romance":[0.279698,null,[0.279698]],"mean":[0.28092,null,[0.28092]]},"MRR":{"action":[0.128609,null,[0.128609]],"romance":[0.119185,null,[0.119185]],"mean":[0.123897,null,[0.123897]]}},"shares":{"NDCG@10":{"action":0.980349,"romance":0.987015,"mean of ratios":0.983682,"ratio of means":0.983568},"HR@10":{"action":0.9875,"romance":0.984791,"mean of ratios":0.986145,"ratio of means":0.986149},"MRR":{"action":0.977897,"romance":0.984646,"mean of ratios":0.981271,"ratio of means":0.981132}},"cost":{"train":1.94,"merge":0.09,"other":0.51,"peak":315},"gaps":[]},
{"id":"1fc328","backbone":"sasrec","method":"task-arithmetic","label":"task-arithmetic (scale=0.4)","page":"task-arithmetic","recipe":"fixed","made":"scale=0.4; tuned: none; configuration 954bebd03430","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.148789,null,[0.148789]],"romance":[0.139177,null,[0.139177]],"mean":[0.143983,null,[0.143983]]},"HR@10":{"action":[0.282143,null,[0.282143]],"romance":[0.278618,null,[0.278618]],"mean":[0.28038,null,[0.28038]]},"MRR":{"action":[0.129202,null,[0.129202]],"romance":[0.119243,null,[0.119243]],"mean":[0.124222,null,[0.124222]]}},"shares":{"NDCG@10":{"action":0.983665,"romance":0.985084,"mean of ratios":0.984374,"ratio of means":0.98435},"HR@10":{"action":0.9875,"romance":0.980989,"mean of ratios":0.984244,"ratio of means":0.984254},"MRR":{"action":0.982404,"romance":0.985128,"mean of ratios":0.983766,"ratio of means":0.983709}},"cost":{"train":1.94,"merge":0.08,"other":0.52,"peak":316},"gaps":[]},
{"id":"b95a54","backbone":"sasrec","method":"ties","label":"ties (density=0.2)","page":"ties","recipe":"fixed","made":"density=0.2, extra=0, scale=1, scope=global, zero=plus; tuned: none; configuration 0f993f082241","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.146535,null,[0.146535]],"romance":[0.143065,null,[0.143065]],"mean":[0.1448,null,[0.1448]]},"HR@10":{"action":[0.279762,null,[0.279762]],"romance":[0.282937,null,[0.282937]],"mean":[0.28135,null,[0.28135]]},"MRR":{"action":[0.127069,null,[0.127069]],"romance":[0.122272,null,[0.122272]],"mean":[0.12467,null,[0.12467]]}},"shares":{"NDCG@10":{"action":0.968763,"romance":1.0126,"mean of ratios":0.990683,"ratio of means":0.989935},"HR@10":{"action":0.979167,"romance":0.996198,"mean of ratios":0.987682,"ratio of means":0.987657},"MRR":{"action":0.966187,"romance":1.01015,"mean of ratios":0.988169,"ratio of means":0.987257}},"cost":{"train":1.94,"merge":0.1,"other":0.51,"peak":315},"gaps":[]}
]
},
{
"track":"cdsr",
"protocol":"mixed-sampled-99",
"domains":[
"action",
"comedy"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy"],
["rows tuned on","none (4 rows)"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, 99 sampled negatives (min_length=3, scope=mixed)"],
["ranked against","99 sampled candidates, seed 2026, set 27f0e4161d9c95f0"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 427, comedy 502"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.2255","0.2232","0.2219","24.6 %","2.3 %"],["\u2013","last-item","0.3117","0.3107","0.3106","15.8 %","0.7 %"],["\u2013","item-knn","0.3216","0.3216","0.3216","2.6 %","0.0 %"],["\u2013","sasrec-dt (full softmax)","0.3250","0.3250","0.3250","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. How many targets equal times decided is not in these records."},
{"title":"Training","answer":"","headers":["backbone","method","objective","tuned (row)"],"rows":[["\u2013","popularity","\u2013","none"],["\u2013","last-item","\u2013","none"],["\u2013","item-knn","\u2013","none"],["\u2013","sasrec-dt (full softmax)","full","none"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each (in brackets those after which the chosen weights stood), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration af2029c1907d","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.212733,null,[0.212733]],"comedy":[0.233762,null,[0.233762]],"mean":[0.223247,null,[0.223247]]},"HR@10":{"action":[0.400468,null,[0.400468]],"comedy":[0.408367,null,[0.408367]],"mean":[0.404417,null,[0.404417]]},"MRR":{"action":[0.179764,null,[0.179764]],"comedy":[0.207432,null,[0.207432]],"mean":[0.193598,null,[0.193598]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.03,"merge":0,"other":0.45,"peak":306},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration f2cbfcd5b6ad","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.305382,null,[0.305382]],"comedy":[0.315945,null,[0.315945]],"mean":[0.310663,null,[0.310663]]},"HR@10":{"action":[0.510539,null,[0.510539]],"comedy":[0.496016,null,[0.496016]],"mean":[0.503277,null,[0.503277]]},"MRR":{"action":[0.2621,null,[0.2621]],"comedy":[0.280876,null,[0.280876]],"mean":[0.271488,null,[0.271488]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.03,"merge":0,"other":0.45,"peak":306},"gaps":[]},
{"id":"39f78b","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 5a5eceaf2245","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.322889,null,[0.322889]],"comedy":[0.320314,null,[0.320314]],"mean":[0.321601,null,[0.321601]]},"HR@10":{"action":[0.548009,null,[0.548009]],"comedy":[0.531873,null,[0.531873]],"mean":[0.539941,null,[0.539941]]},"MRR":{"action":[0.274778,null,[0.274778]],"comedy":[0.276051,null,[0.276051]],"mean":[0.275414,null,[0.275414]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.13,"merge":0,"other":0.49,"peak":306},"gaps":[]},
{"id":"819388","backbone":"\u2013","method":"sasrec-dt","label":"sasrec-dt (full softmax)","page":"sasrec-dt","recipe":"fixed","made":"block=sasrec, dropout=0.2, heads=2, init=text, layers=2, loss=full, max_len=50, negatives=128, positions=reverse, std=0.02, temperature=0.75, width=64; tuned: none; configuration 9aaac82cf7e1","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.316412,null,[0.316412]],"comedy":[0.333588,null,[0.333588]],"mean":[0.325,null,[0.325]]},"HR@10":{"action":[0.529274,null,[0.529274]],"comedy":[0.559761,null,[0.559761]],"mean":[0.544517,null,[0.544517]]},"MRR":{"action":[0.273163,null,[0.273163]],"comedy":[0.282902,null,[0.282902]],"mean":[0.278033,null,[0.278033]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":1.02,"merge":0,"other":0.54,"peak":324},"gaps":[]}
]
},
{
"track":"cdsr-three",
"protocol":"mixed",
"domains":[
"action",
"comedy",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy, romance"],
["rows tuned on","none (4 rows)"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, full ranking (min_length=3, scope=mixed)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 284, comedy 338, romance 318"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0948","0.0917","0.0917","44.4 %","1.5 %"],["\u2013","last-item","0.1661","0.1661","0.1660","28.5 %","0.1 %"],["\u2013","abxi (width 32; paper recipe)","0.0934","0.0934","0.0934","0.0 %","0.0 %"],["\u2013","merit (width 32; paper recipe)","0.1061","0.1061","0.1061","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. How many targets equal times decided is not in these records."},
{"title":"Training","answer":"","headers":["backbone","method","tuned (row)"],"rows":[["\u2013","popularity","none"],["\u2013","last-item","none"],["\u2013","abxi (width 32; paper recipe)","none"],["\u2013","merit (width 32; paper recipe)","none"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each (in brackets those after which the chosen weights stood), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration a3e55e8d47da","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.0876139,null,[0.0876139]],"comedy":[0.105241,null,[0.105241]],"romance":[0.0822913,null,[0.0822913]],"mean":[0.0917152,null,[0.0917152]]},"HR@10":{"action":[0.165493,null,[0.165493]],"comedy":[0.189349,null,[0.189349]],"romance":[0.188679,null,[0.188679]],"mean":[0.181174,null,[0.181174]]},"MRR":{"action":[0.0838843,null,[0.0838843]],"comedy":[0.0947648,null,[0.0947648]],"romance":[0.0723726,null,[0.0723726]],"mean":[0.0836739,null,[0.0836739]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.03,"merge":0,"other":0.42,"peak":304},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration 864ff37226b1","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.157944,null,[0.157944]],"comedy":[0.183395,null,[0.183395]],"romance":[0.156847,null,[0.156847]],"mean":[0.166062,null,[0.166062]]},"HR@10":{"action":[0.295775,null,[0.295775]],"comedy":[0.325444,null,[0.325444]],"romance":[0.292453,null,[0.292453]],"mean":[0.304557,null,[0.304557]]},"MRR":{"action":[0.134473,null,[0.134473]],"comedy":[0.156692,null,[0.156692]],"romance":[0.134988,null,[0.134988]],"mean":[0.142051,null,[0.142051]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.03,"merge":0,"other":0.44,"peak":305},"gaps":[]},
{"id":"a3c4aa","backbone":"\u2013","method":"abxi","label":"abxi (width 32; paper recipe)","page":"abxi","recipe":"paper","made":"domain_rank=4, dropout=0.5, heads=2, init=random, inner=80, invariant_rank=16, max_len=47, negatives=128, own_history=whole, std=0.02, temperature=0.75, variant=0, width=32; tuned: none; configuration cc909b2fabd4","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.0898937,null,[0.0898937]],"comedy":[0.10291,null,[0.10291]],"romance":[0.0873323,null,[0.0873323]],"mean":[0.0933788,null,[0.0933788]]},"HR@10":{"action":[0.193662,null,[0.193662]],"comedy":[0.192308,null,[0.192308]],"romance":[0.204403,null,[0.204403]],"mean":[0.196791,null,[0.196791]]},"MRR":{"action":[0.0794442,null,[0.0794442]],"comedy":[0.0928169,null,[0.0928169]],"romance":[0.0746777,null,[0.0746777]],"mean":[0.0823129,null,[0.0823129]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":2.25,"merge":0,"other":0.51,"peak":325},"gaps":[]},
{"id":"8c4276","backbone":"\u2013","method":"merit","label":"merit (width 32; paper recipe)","page":"merit","recipe":"paper","made":"caf_m=attn, computes=paper, dropout=0.5, ecaf_mode=attn, ecaf_sources=[mixed, other], eval_m_position=last, ffn=mo, heads=2, init=truncated, inner=0, m_norm=domain, max_len=47, negatives=128, paths=[], residual=sg, std=0.02, temperature=0.75, width=32; tuned: none; configuration 00d46f79c912","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.10952,null,[0.10952]],"comedy":[0.111547,null,[0.111547]],"romance":[0.0971318,null,[0.0971318]],"mean":[0.106066,null,[0.106066]]},"HR@10":{"action":[0.232394,null,[0.232394]],"comedy":[0.218935,null,[0.218935]],"romance":[0.216981,null,[0.216981]],"mean":[0.22277,null,[0.22277]]},"MRR":{"action":[0.0912996,null,[0.0912996]],"comedy":[0.0968224,null,[0.0968224]],"romance":[0.0844042,null,[0.0844042]],"mean":[0.090842,null,[0.090842]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":4.68,"merge":0,"other":0.84,"peak":364},"gaps":[]}
]
},
{
"track":"cdsr-three",
"protocol":"mixed-sampled-99",
"domains":[
"action",
"comedy",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy, romance"],
["rows tuned on","none (4 rows)"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, 99 sampled negatives (min_length=3, scope=mixed)"],
["ranked against","99 sampled candidates, seed 2026, set c0d05ef46a1b3f0a"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 284, comedy 338, romance 318"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.2298","0.2292","0.2290","23.4 %","1.9 %"],["\u2013","last-item","0.3214","0.3213","0.3212","15.8 %","0.5 %"],["\u2013","abxi (width 32; paper recipe)","0.2447","0.2447","0.2447","0.0 %","0.0 %"],["\u2013","merit (width 32; paper recipe)","0.2689","0.2689","0.2689","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. How many targets equal times decided is not in these records."},
{"title":"Training","answer":"","headers":["backbone","method","tuned (row)"],"rows":[["\u2013","popularity","none"],["\u2013","last-item","none"],["\u2013","abxi (width 32; paper recipe)","none"],["\u2013","merit (width 32; paper recipe)","none"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each (in brackets those after which the chosen weights stood), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration c96489ebfe45","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.211932,null,[0.211932]],"comedy":[0.247798,null,[0.247798]],"romance":[0.22788,null,[0.22788]],"mean":[0.229203,null,[0.229203]]},"HR@10":{"action":[0.387324,null,[0.387324]],"comedy":[0.423077,null,[0.423077]],"romance":[0.424528,null,[0.424528]],"mean":[0.411643,null,[0.411643]]},"MRR":{"action":[0.183831,null,[0.183831]],"comedy":[0.220149,null,[0.220149]],"romance":[0.191976,null,[0.191976]],"mean":[0.198652,null,[0.198652]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.03,"merge":0,"other":0.45,"peak":306},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration 87bc2dc611bd","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.315632,null,[0.315632]],"comedy":[0.34694,null,[0.34694]],"romance":[0.301348,null,[0.301348]],"mean":[0.321307,null,[0.321307]]},"HR@10":{"action":[0.528169,null,[0.528169]],"comedy":[0.526627,null,[0.526627]],"romance":[0.506289,null,[0.506289]],"mean":[0.520362,null,[0.520362]]},"MRR":{"action":[0.269665,null,[0.269665]],"comedy":[0.31015,null,[0.31015]],"romance":[0.260198,null,[0.260198]],"mean":[0.280004,null,[0.280004]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.03,"merge":0,"other":0.46,"peak":306},"gaps":[]},
{"id":"a3c4aa","backbone":"\u2013","method":"abxi","label":"abxi (width 32; paper recipe)","page":"abxi","recipe":"paper","made":"domain_rank=4, dropout=0.5, heads=2, init=random, inner=80, invariant_rank=16, max_len=47, negatives=128, own_history=whole, std=0.02, temperature=0.75, variant=0, width=32; tuned: none; configuration 3e6f088cc4e6","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.230845,null,[0.230845]],"comedy":[0.260683,null,[0.260683]],"romance":[0.242434,null,[0.242434]],"mean":[0.244654,null,[0.244654]]},"HR@10":{"action":[0.454225,null,[0.454225]],"comedy":[0.431953,null,[0.431953]],"romance":[0.465409,null,[0.465409]],"mean":[0.450529,null,[0.450529]]},"MRR":{"action":[0.184187,null,[0.184187]],"comedy":[0.234245,null,[0.234245]],"romance":[0.196773,null,[0.196773]],"mean":[0.205068,null,[0.205068]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":2.25,"merge":0,"other":0.53,"peak":325},"gaps":[]},
{"id":"8c4276","backbone":"\u2013","method":"merit","label":"merit (width 32; paper recipe)","page":"merit","recipe":"paper","made":"caf_m=attn, computes=paper, dropout=0.5, ecaf_mode=attn, ecaf_sources=[mixed, other], eval_m_position=last, ffn=mo, heads=2, init=truncated, inner=0, m_norm=domain, max_len=47, negatives=128, paths=[], residual=sg, std=0.02, temperature=0.75, width=32; tuned: none; configuration 42b5759472c8","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.25242,null,[0.25242]],"comedy":[0.279887,null,[0.279887]],"romance":[0.274373,null,[0.274373]],"mean":[0.268893,null,[0.268893]]},"HR@10":{"action":[0.450704,null,[0.450704]],"comedy":[0.464497,null,[0.464497]],"romance":[0.496855,null,[0.496855]],"mean":[0.470686,null,[0.470686]]},"MRR":{"action":[0.215103,null,[0.215103]],"comedy":[0.246578,null,[0.246578]],"romance":[0.230125,null,[0.230125]],"mean":[0.230602,null,[0.230602]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":4.68,"merge":0,"other":0.85,"peak":364},"gaps":[]}
]
}
],
"figures":[]
});
